/* Makes one system call a line and prints its name and error number (0: success). Run under a filter by seccomp.rs. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *name, long result) { printf("%s %d\n", name, result < 0 ? errno : 0); }

#ifdef __x86_64__
/* Into the kernel by the 32-bit door, whose calls have other numbers. */
static long door32(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory", "r8", "r9", "r10", "r11");
    result = (int)result;
    if (result < 0 && result > -4096) { errno = -result; return -1; }
    return result;
}
#endif

int main(void) {
    say("getpid", syscall(SYS_getpid));
    say("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
    say("userfaultfd", syscall(SYS_userfaultfd, 0));
    say("io_uring_setup", syscall(425, 1, 0));
    say("unknown", syscall(499));
    say("far", syscall(100000));
    say("vsock", syscall(SYS_socket, 40, SOCK_STREAM, 0));
    say("vsock-high", syscall(SYS_socket, 40L | 1L << 32, SOCK_STREAM, 0));
    say("audit", syscall(SYS_socket, 16, SOCK_RAW, 9));
    say("netlink", syscall(SYS_socket, 16, SOCK_RAW, 0));
    say("personality", syscall(SYS_personality, 0xffffffffL));
    say("personality-aslr", syscall(SYS_personality, 0x40000L));
    say("unshare", syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS));
    say("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, ""));
    say("sethostname", syscall(SYS_sethostname, "x", 1));
#ifdef __x86_64__
    say("x32", syscall(0x40000000L | 39));
    say("getpid32", door32(20, 0, 0, 0));
    say("swapon32", door32(87, 0, 0, 0));
    say("clock_settime64-32", door32(404, 0, 0, 0));
    say("vsock32", door32(359, 40, SOCK_STREAM, 0));
    say("unknown32", door32(499, 0, 0, 0));
#endif
    return 0;
}
