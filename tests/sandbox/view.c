/* What a program in a container sees and may do, a fact a line: `KIND NAME: VALUE`; with the argument `network`, what it finds of its
 * network. Numbers that say nothing (of mounts, processes, inodes) are left out, so that two engines can be compared line by line. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void strip(char *line) { line[strcspn(line, "\n")] = 0; }

/* Every call with arguments that no call takes, each in a process of its own that ends soon. */
static void calls(void) {
    for (long number = 0; number <= 470; number++) {
        /* sync takes what it takes, and nobody refuses it; uretprobe and uprobe pass any filter (since
           Linux 6.14), and the first kills who is not being traced. */
        if (number == SYS_sync || number == 335 || number == 336) continue;
        int ends[2];
        if (pipe(ends) != 0) return;
        pid_t child = fork();
        if (child == 0) {
            struct itimerval soon = {.it_value = {.tv_usec = 100000}};
            setitimer(ITIMER_REAL, &soon, NULL);
            pid_t own = getpid();
            long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
            int answer = result == -1 ? errno : 0;
            if (syscall(SYS_getpid) == own) (void)!write(ends[1], &answer, sizeof answer);
            _exit(0);
        }
        close(ends[1]);
        int answer, status;
        if (read(ends[0], &answer, sizeof answer) == sizeof answer)
            printf("call %ld: %s\n", number, answer ? strerrorname_np(answer) : "done");
        else
            printf("call %ld: no answer\n", number);
        close(ends[0]);
        waitpid(child, &status, 0);
    }
}

static void lines_of(const char *kind, const char *path, const char *const *starts) {
    char line[4096];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        strip(line);
        char *value = strchr(line, ':');
        if (!value) continue;
        *value++ = 0;
        for (const char *const *start = starts; *start; start++)
            if (!strcmp(*start, line)) {
                for (char *at = value; (at = strchr(at, '\t')); *at = ' ');
                printf("%s %s: %s\n", kind, line, value + strspn(value, " "));
            }
    }
    if (file) fclose(file);
}

/* The options of the mount, how it takes part in what is mounted elsewhere, the kind of file system and its own options. */
static void mounts(void) {
    char line[8192];
    FILE *file = fopen("/proc/self/mountinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        strip(line);
        char *point = line, *rest;
        for (int field = 0; field < 4; field++) point = strchr(point, ' ') + 1;
        char *options = strchr(point, ' ');
        *options++ = 0;
        rest = strstr(options, " - ");
        *rest = 0;
        char *shared = strchr(options, ' ');
        if (shared) *shared++ = 0;
        char *kind = rest + 3, *source = strchr(kind, ' ');
        *source++ = 0;
        char *super = strchr(source, ' ');
        printf("mount %s: %s %s %s %s\n", point, kind, options, shared ? "shared" : "private",
               !strcmp(kind, "tmpfs") || !strcmp(kind, "devpts") ? super + 1 : "");
    }
    if (file) fclose(file);
}

static void file(const char *kind, const char *path) {
    struct stat found;
    char target[256] = "";
    if (lstat(path, &found) != 0) {
        printf("%s %s: %s\n", kind, path, strerrorname_np(errno));
        return;
    }
    if (S_ISLNK(found.st_mode)) {
        (void)!readlink(path, target, sizeof target - 1);
        printf("%s %s: to %s\n", kind, path, target);
        return;
    }
    int opened = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const char *written = opened >= 0 ? "yes" : strerrorname_np(errno);
    if (opened >= 0) close(opened);
    printf("%s %s: %o %u:%u device %u:%u written %s", kind, path, found.st_mode, found.st_uid, found.st_gid,
           major(found.st_rdev), minor(found.st_rdev), written);
    if (S_ISDIR(found.st_mode)) {
        int count = 0;
        DIR *folder = opendir(path);
        for (struct dirent *entry; folder && (entry = readdir(folder));) count += entry->d_name[0] != '.';
        printf(" holds %s", !folder ? "what it does not show" : count ? "something" : "nothing");
        if (folder) closedir(folder);
    }
    puts("");
}

static void folder(const char *kind, const char *path) {
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    for (int at = 0; at < count; at++) {
        char whole[512];
        snprintf(whole, sizeof whole, "%s/%s", path, names[at]->d_name);
        if (names[at]->d_name[0] != '.') file(kind, whole);
    }
}

static void content(const char *path) {
    char text[256] = "";
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = opened < 0 ? -1 : read(opened, text, sizeof text - 1);
    for (char *at = text; (at = strchr(at, '\t')); *at = ' ');
    strip(text);
    printf("content %s: %s\n", path, count < 0 ? strerrorname_np(errno) : text);
    if (opened >= 0) close(opened);
}

static void limits(void) {
    static const char *const names[] = {"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock",
                                        "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};
    for (int number = 0; number < 16; number++) {
        struct rlimit limit;
        getrlimit(number, &limit);
        printf("limit %s: %lld %lld\n", names[number], (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
}

static void process(void) {
    static const char *const status[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
                                         "Uid", "Gid", "Groups", "NSpid", "NSsid", "SigBlk", "SigIgn", "SigCgt", "Umask", "Threads", NULL};
    lines_of("process", "/proc/self/status", status);
    printf("process leads: session %d group %d, parent %d\n", getsid(0) == getpid(), getpgrp() == getpid(), getppid());
    char name[256], directory[256];
    gethostname(name, sizeof name);
    printf("process name of the machine: %zu letters, directory %s\n", strlen(name), getcwd(directory, sizeof directory));
    /* KEYCTL_GET_KEYRING_ID and KEYCTL_DESCRIBE of the session's keyring: its name would be a number. */
    long keyring = syscall(SYS_keyctl, 0, -3, 0);
    char words[256] = "";
    long described = keyring < 0 ? -1 : syscall(SYS_keyctl, 6, keyring, words, sizeof words - 1);
    printf("process keyring: %s\n", described < 0 ? strerrorname_np(errno) : strncmp(words, "keyring;", 8) ? "no keyring" : "one");
    printf("process descriptors:");
    for (int fd = 0; fd < 100; fd++)
        if (fcntl(fd, F_GETFD) >= 0) printf(" %d", fd);
    puts("");
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, "HOSTNAME=", 9)) printf("variable %s\n", *variable);
}

/* Addresses and their prefixes, but for those of one link alone, which come from the hardware's and may take a moment. */
static void addresses(const char *interface) {
    struct ifaddrs *all, *one;
    if (getifaddrs(&all) != 0) return;
    for (one = all; one; one = one->ifa_next) {
        if (strcmp(one->ifa_name, interface) || !one->ifa_addr || !one->ifa_netmask) continue;
        int family = one->ifa_addr->sa_family, prefix = 0;
        const unsigned char *address = NULL, *mask = NULL;
        if (family == AF_INET) {
            address = (void *)&((struct sockaddr_in *)one->ifa_addr)->sin_addr;
            mask = (void *)&((struct sockaddr_in *)one->ifa_netmask)->sin_addr;
        } else if (family == AF_INET6) {
            address = (void *)&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr;
            mask = (void *)&((struct sockaddr_in6 *)one->ifa_netmask)->sin6_addr;
        } else continue;
        for (int at = 0; at < (family == AF_INET ? 4 : 16); at++) prefix += __builtin_popcount(mask[at]);
        char text[INET6_ADDRSTRLEN];
        inet_ntop(family, address, text, sizeof text);
        if (strncmp(text, "fe80:", 5)) printf("address of %s: %s/%d\n", interface, text, prefix);
    }
    freeifaddrs(all);
}

static void interfaces(void) {
    struct dirent **names;
    int count = scandir("/sys/class/net", &names, NULL, alphasort);
    for (int at = 0; at < count; at++) {
        const char *name = names[at]->d_name;
        char path[512], mtu[32] = "?", flags[32] = "0";
        if (name[0] == '.') continue;
        snprintf(path, sizeof path, "/sys/class/net/%s/mtu", name);
        FILE *file = fopen(path, "r");
        if (file && fgets(mtu, sizeof mtu, file)) strip(mtu);
        if (file) fclose(file);
        snprintf(path, sizeof path, "/sys/class/net/%s/flags", name);
        file = fopen(path, "r");
        if (file && !fgets(flags, sizeof flags, file)) flags[0] = 0;
        if (file) fclose(file);
        printf("interface %s: %s, packets of %s\n", name, strtol(flags, NULL, 16) & IFF_UP ? "up" : "down", mtu);
        addresses(name);
    }
}

/* Where packets for the rest of the world go. */
static void ways_out(void) {
    char line[512], interface[64], to[64], prefix[8], via[64];
    unsigned flags;
    FILE *file = fopen("/proc/net/route", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%63s %63s %63s", interface, to, via) == 3 && !strcmp(to, "00000000"))
            printf("route IPv4: by %s, %s\n", interface, strcmp(via, "00000000") ? "through a gateway" : "at once");
    if (file) fclose(file);
    file = fopen("/proc/net/ipv6_route", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%63s %7s %*s %*s %63s %*s %*s %*s %x %63s", to, prefix, via, &flags, interface) == 5 &&
            !strcmp(prefix, "00") && strcmp(interface, "lo"))
            printf("route IPv6: by %s, %s\n", interface, strspn(via, "0") < 32 ? "through a gateway" : "at once");
    if (file) fclose(file);
}

static void lines(const char *path) {
    char line[1024];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        strip(line);
        for (char *at = line; (at = strchr(at, '\t')); *at = ' ');
        printf("line %s: %s\n", path, line);
    }
    if (file) fclose(file);
}

static void network(void) {
    char name[256];
    interfaces();
    ways_out();
    lines("/etc/hosts");
    lines("/etc/resolv.conf");
    lines("/etc/hostname");
    gethostname(name, sizeof name);
    printf("name of the machine: %s\n", name);
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count > 1 && !strcmp(words[1], "network")) return network(), 0;
    process();
    limits();
    mounts();
    static const char *const covered[] = {
        "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/interrupts", "/proc/irq", "/proc/kcore", "/proc/keys",
        "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sys", "/proc/sysrq-trigger", "/proc/timer_list",
        "/proc/timer_stats", "/proc/kmsg", "/proc/kallsyms", "/proc/config.gz", "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "/sys", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/selinux",
        "/sys/dev/block", "/sys/fs/cgroup", "/sys/kernel/debug", "/sys/kernel/security", "/sys/devices/system/cpu/cpu0/thermal_throttle",
        "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/etc/mtab", NULL};
    for (const char *const *path = covered; *path; path++) file("file", *path);
    folder("device", "/dev");
    folder("device", "/dev/pts");
    static const char *const texts[] = {
        "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups", "/proc/self/oom_score_adj", "/proc/self/coredump_filter",
        "/proc/self/loginuid", "/proc/self/attr/current", "/proc/self/timens_offsets", "/proc/sys/net/ipv4/ping_group_range",
        "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/shmmax",
        "/proc/sys/kernel/msgmax", "/proc/sys/kernel/sem", "/proc/sys/fs/mqueue/queues_max", "/proc/sys/user/max_user_namespaces", NULL};
    for (const char *const *path = texts; *path; path++) content(*path);
    char line[512];
    FILE *groups = fopen("/proc/self/cgroup", "r");
    while (groups && fgets(line, sizeof line, groups))
        if (!strncmp(line, "0::", 3)) printf("content /proc/self/cgroup: %s", line);
    calls();
    return 0;
}
