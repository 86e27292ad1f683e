/* Publishes states at a fixed rate, each with the time of its departure: over MQTT 3.1.1 with QoS 0,
 * to NATS, or as one UDP datagram each.
 *
 * publish mqtt|nats|udp HOST PORT RATE SECONDS PILLOWS BYTES [TOPIC_FORMAT [USER PASSWORD]]
 *
 * TOPIC_FORMAT contains one %s for the pillow's id.  Prints the number of sent states as JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static int text(unsigned char *to, const char *from) {
    int n = (int)strlen(from);
    to[0] = n >> 8;
    to[1] = n & 255;
    memcpy(to + 2, from, n);
    return n + 2;
}

static int framed(unsigned char *to, unsigned char type, const unsigned char *body, int n) {
    int at = 0, rest = n;
    to[at++] = type;
    do {
        unsigned char b = rest % 128;
        rest /= 128;
        to[at++] = rest ? b | 128 : b;
    } while (rest);
    memcpy(to + at, body, n);
    return at + n;
}

static void put(int fd, const unsigned char *data, int n) {
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
        if (sent < 0) { if (errno == EINTR) continue; perror("send"); exit(1); }
        data += sent;
        n -= (int)sent;
    }
}

int main(int argc, char **argv) {
    if (argc < 8) { fputs("publish mqtt|nats|udp HOST PORT RATE SECONDS PILLOWS BYTES [TOPIC [USER PASSWORD]]\n", stderr); return 2; }
    int udp = !strcmp(argv[1], "udp"), nats = !strcmp(argv[1], "nats"), pillows = atoi(argv[6]), size = atoi(argv[7]);
    double rate = atof(argv[4]), seconds = atof(argv[5]);
    const char *format = argc > 8 ? argv[8] : "pillow/%s/state";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
    inet_pton(AF_INET, argv[2], &to.sin_addr);
    int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) { perror("connect"); return 1; }
    static unsigned char body[131072], packet[131080], out[1 << 20];
    if (nats) {
        const char *hello = "CONNECT {\"verbose\":false}\r\n";
        if (recv(fd, packet, sizeof packet, 0) <= 0) return 1;
        put(fd, (const unsigned char *)hello, (int)strlen(hello));
    }
    if (!udp && !nats) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        char name[64];
        snprintf(name, sizeof name, "bench-publisher-%d", (int)getpid());
        int n = text(body, "MQTT");
        body[n++] = 4;
        body[n++] = argc > 10 ? 0xC2 : 0x02;
        body[n++] = 0; body[n++] = 0;
        n += text(body + n, name);
        if (argc > 10) { n += text(body + n, argv[9]); n += text(body + n, argv[10]); }
        n = framed(packet, 0x10, body, n);
        put(fd, packet, n);
        if (recv(fd, packet, 4, MSG_WAITALL) != 4 || packet[3]) { fputs("the broker refused\n", stderr); return 1; }
    }
    uint64_t began = now_ns(CLOCK_MONOTONIC), number = 0, wanted;
    uint64_t all = (uint64_t)(rate * seconds + .5);
    while (number < all) {
        uint64_t now = now_ns(CLOCK_MONOTONIC);
        wanted = (uint64_t)((now - began) / 1e9 * rate) + 1;
        if (wanted > all) wanted = all;
        int filled = 0;
        for (; number < wanted && filled < (int)sizeof out - 140000; number++) {
            char id[32], at[40], topic[256], state[131072];
            uint64_t stamp = now_ns(CLOCK_REALTIME) / 1000;
            time_t second = stamp / 1000000;
            struct tm utc;
            gmtime_r(&second, &utc);
            strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &utc);
            snprintf(id, sizeof id, "p-%05d", (int)(number % pillows));
            int n = snprintf(state, sizeof state,
                "{\"pillow\":\"%s\",\"state\":\"hugging\",\"at\":\"%s.%06dZ\",\"seq\":%llu,\"stamp\":%llu,\"pad\":\"",
                id, at, (int)(stamp % 1000000), (unsigned long long)number, (unsigned long long)stamp);
            while (n < size - 2) state[n++] = 'x';
            state[n++] = '"';
            state[n++] = '}';
            state[n] = 0;
            if (udp) { send(fd, state, n, 0); continue; }
            snprintf(topic, sizeof topic, format, id);
            if (nats) {
                filled += sprintf((char *)out + filled, "PUB %s %d\r\n%s\r\n", topic, n, state);
                continue;
            }
            int m = text(body, topic);
            memcpy(body + m, state, n);
            filled += framed(out + filled, 0x30, body, m + n);
        }
        if (filled) put(fd, out, filled);
        double due = (number + 0.0) / rate * 1e9 - (now_ns(CLOCK_MONOTONIC) - began);
        if (due > 0) {
            struct timespec pause = {.tv_sec = (time_t)(due / 1e9), .tv_nsec = (long)due % 1000000000};
            nanosleep(&pause, NULL);
        }
    }
    double took = (now_ns(CLOCK_MONOTONIC) - began) / 1e9;
    if (!udp && !nats) { unsigned char bye[2] = {0xE0, 0}; put(fd, bye, 2); }
    printf("{\"sent\":%llu,\"seconds\":%.3f}\n", (unsigned long long)number, took);
    return 0;
}
