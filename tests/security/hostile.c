/* A hostile program in a container. `hostile flip A B`: lets two names change their places for ever, as fast as the kernel
 * can; `hostile type`: tries to put a character into the input of every terminal that it holds; `hostile status`: what it
 * may do. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int flip(const char *a, const char *b) {
    puts("flipping");
    fflush(stdout);
    for (;;)
        if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) != 0 && errno != ENOENT) return 1;
}

/* TIOCSTI, the same with bits that a filter on 64 might overlook, and TIOCLINUX with its request to paste. */
static void type_into(int fd) {
    const unsigned long requests[] = {0x5412, 0x5412 | 1UL << 32, 0x541C};
    for (int i = 0; i < 3; i++) {
        char what = i == 2 ? 3 : 'Z';
        if (syscall(SYS_ioctl, fd, requests[i], &what) == 0) printf("typed by %#lx into %d\n", requests[i], fd);
    }
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
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "Cap", 3)) fputs(line, stdout);
    return status ? 0 : 1;
}
