/* A minimal server, the lower limit of what a delivery costs with one send a browser: an epoll loop
 * that answers every handshake alike, encodes each datagram as one WebSocket frame, and sends that
 * frame to every connection.
 *
 * limit PORT          UDP datagrams arrive on the same port
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *SHAKEN =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
    int one = 1, door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int news = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), much = 1 << 23;
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(news, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
    if (bind(door, (void *)&here, sizeof here) || listen(door, 4096) || bind(news, (void *)&here, sizeof here)) { perror("bind"); return 1; }
    int ep = epoll_create1(0), count = 0;
    static char shaken[1 << 16];
    static int fds[1 << 16];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = door};
    epoll_ctl(ep, EPOLL_CTL_ADD, door, &event);
    event.data.fd = news;
    epoll_ctl(ep, EPOLL_CTL_ADD, news, &event);
    static unsigned char frame[70000], said[65536];
    for (;;) {
        struct epoll_event events[512];
        int n = epoll_wait(ep, events, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == door) {
                int came;
                while ((came = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(came, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    event.data.fd = came;
                    epoll_ctl(ep, EPOLL_CTL_ADD, came, &event);
                }
            } else if (fd == news) {
                ssize_t size;
                while ((size = recv(news, frame + 4, 65000, 0)) > 0) {
                    unsigned char *from = frame;
                    frame[0] = 0x81; frame[1] = 126; frame[2] = size >> 8; frame[3] = size & 255;
                    if (size < 126) { from = frame + 2; from[0] = 0x81; from[1] = (unsigned char)size; }
                    size_t all = size + (frame + 4 - from);
                    for (int k = 0; k < count; k++)
                        if (fds[k] >= 0 && send(fds[k], from, all, MSG_NOSIGNAL) < 0 && errno != EAGAIN) fds[k] = -1;
                }
            } else {
                ssize_t size = recv(fd, said, sizeof said, 0);
                if (size <= 0) {
                    for (int k = 0; k < count; k++) if (fds[k] == fd) fds[k] = fds[--count];
                    shaken[fd] = 0;
                    close(fd);
                } else if (!shaken[fd] && memmem(said, size, "\r\n\r\n", 4)) {
                    shaken[fd] = 1;
                    fds[count++] = fd;
                    if (send(fd, SHAKEN, strlen(SHAKEN), MSG_NOSIGNAL) < 0) perror("send");
                }
            }
        }
    }
}
