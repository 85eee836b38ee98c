/* A service: says its arguments to the socket of NOTIFY_SOCKET, one datagram each; `accept`: takes one connection from its first
   socket, and tells there what it knows of it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void say(const char *words) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (!path || fd < 0) exit(3);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (sendto(fd, words, strlen(words), 0, (struct sockaddr *)&address, sizeof address) < 0) exit(4);
    close(fd);
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "accept")) {
            say(arguments[i]);
            continue;
        }
        int fd = accept(3, NULL, NULL);
        if (fd < 0) return 5;
        dprintf(fd, "%s %s %s", getenv("LISTEN_FDS"), getenv("LISTEN_PID"), getenv("LISTEN_FDNAMES"));
        close(fd);
    }
    return 0;
}
