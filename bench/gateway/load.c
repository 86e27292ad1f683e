/* Load for `scripts/bench gateway`: N WebSockets from one epoll loop, so that the client is not
 * the bottleneck.  It opens them, counts what they receive, and computes latencies from timestamps
 * in the payload: the digits after STAMP are microseconds of CLOCK_REALTIME.
 *
 * load HOST PORT N [options]           see usage()
 *
 * Commands are lines on standard input: `connect`, `reset`, `report`, `quit`; each reply is one line
 * of JSON on standard output.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 2048 /* of microseconds, 32 for each power of two */
#define CHUNK (1 << 18)

enum state { CONNECTING, SHAKING, OPEN, STALLED, DEAD };

struct conn {
    int fd;
    enum state state;
    int number;
    /* The frame being read: its header, then the rest of its payload. */
    unsigned char head[14];
    int have, need;
    uint64_t rest;
    int opcode;
    int matched;      /* how many of the last bytes match STAMP */
    int digits;       /* digits of a timestamp read so far; -1 outside of one */
    uint64_t stamp;
    uint64_t control; /* length of the control payload kept in ctl */
    unsigned char ctl[125];
    int tail;         /* bytes of the blank line that ends the handshake response, so far */
};

static struct conn *conns;
static int total, opened, dead, refused, in_flight, burst = 128, every_ms;
static int stalled_count, stalled_rcvbuf = 4096, rcvbuf;
static const char *host, *path = "/ws", *extra = "", *key_line = "\"stamp\":";
static char subscribe[65536];
static int subscribe_len, binary_subscribe, sse;
static int port;
static struct sockaddr_in address;
static int ep;
static uint64_t frames, bytes, updates;
static uint64_t histogram[BUCKETS], latency_sum, latency_max;
static unsigned char buffer[CHUNK];
static uint64_t closed_codes[5000];

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000u + t.tv_nsec / 1000;
}

static int bucket_of(uint64_t us) {
    if (us < 32) return (int)us;
    int power = 63 - __builtin_clzll(us);
    int index = (power - 4) * 32 + (int)((us >> (power - 5)) & 31);
    return index < BUCKETS ? index : BUCKETS - 1;
}

static double bucket_ms(int index) {
    if (index < 32) return index / 1000.0;
    int power = index / 32 + 4;
    return (double)((32ull + (index % 32)) << (power - 5)) / 1000.0;
}

static double quantile(double q) {
    uint64_t count = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++) count += histogram[i];
    if (!count) return -1;
    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (seen >= q * count) return bucket_ms(i);
    }
    return bucket_ms(BUCKETS - 1);
}

static void got_stamp(uint64_t stamp, uint64_t now) {
    uint64_t us = now > stamp ? now - stamp : 0;
    updates++;
    histogram[bucket_of(us)]++;
    latency_sum += us;
    if (us > latency_max) latency_max = us;
}

static void end(struct conn *c) {
    if (c->state == DEAD) return;
    close(c->fd);
    if (c->state == OPEN) opened--;
    if (c->state == CONNECTING || c->state == SHAKING) in_flight--, refused++;
    c->state = DEAD;
    dead++;
}

static void send_frame(struct conn *c, int opcode, const unsigned char *payload, int length) {
    unsigned char frame[65600];
    int at = 0;
    frame[at++] = 0x80 | opcode;
    if (length < 126) frame[at++] = 0x80 | length;
    else { frame[at++] = 0x80 | 126; frame[at++] = length >> 8; frame[at++] = length & 255; }
    memset(frame + at, 0, 4);
    at += 4;
    memcpy(frame + at, payload, length);
    if (send(c->fd, frame, at + length, MSG_NOSIGNAL) < 0) return;
}

/* Find timestamps in a piece of a payload; the end of the piece may cut one. */
static void scan(struct conn *c, const unsigned char *p, size_t n, uint64_t now) {
    size_t want = strlen(key_line);
    static ptrdiff_t gap;
    const unsigned char *last = NULL;
    size_t i = 0;
    while (i < n) {
        if (c->digits >= 0) {
            if (p[i] >= '0' && p[i] <= '9') { c->stamp = c->stamp * 10 + p[i] - '0'; c->digits++; i++; continue; }
            if (c->digits > 0) got_stamp(c->stamp, now);
            c->digits = -1;
            continue;
        }
        if (c->matched == 0) {
            /* The updates of a frame have one size: the next timestamp is most likely one gap further.
             * The smallest gap, lest one be passed over: a larger may be that of two together. */
            const unsigned char *q = last && gap ? last + gap : NULL;
            if (!q || q + want > p + n || memcmp(q, key_line, want)) q = memmem(p + i, n - i, key_line, want);
            if (q) {
                if (last && (!gap || q - last < gap)) gap = q - last;
                last = q;
                i = q - p + want; c->digits = 0; c->stamp = 0; continue;
            }
            /* The end of this piece may be the start of a timestamp. */
            size_t longest = n - i < want - 1 ? n - i : want - 1;
            for (size_t k = longest; k > 0; k--)
                if (!memcmp(p + n - k, key_line, k)) { c->matched = (int)k; break; }
            return;
        }
        if (p[i] == (unsigned char)key_line[c->matched]) {
            i++;
            if (++c->matched == (int)want) { c->matched = 0; c->digits = 0; c->stamp = 0; }
        } else c->matched = 0;
    }
}

static void payload(struct conn *c, const unsigned char *p, size_t n, uint64_t now) {
    if (c->opcode >= 8) {
        if (c->control + n <= sizeof c->ctl) { memcpy(c->ctl + c->control, p, n); c->control += n; }
    } else scan(c, p, n, now);
}

static void finished(struct conn *c, uint64_t now) {
    (void)now;
    if (c->opcode == 9) send_frame(c, 10, c->ctl, (int)c->control);
    else if (c->opcode == 8) {
        int code = c->control >= 2 ? c->ctl[0] << 8 | c->ctl[1] : 1005;
        if (code < 5000) closed_codes[code]++;
        send_frame(c, 8, c->ctl, (int)c->control);
        end(c);
    } else { frames++; if (c->digits > 0) { got_stamp(c->stamp, now); } c->digits = -1; c->matched = 0; }
}

static void parse(struct conn *c, const unsigned char *p, size_t n, uint64_t now) {
    while (n > 0 && c->state == OPEN) {
        if (c->rest == 0 && c->have < c->need) {
            while (n > 0 && c->have < c->need) {
                c->head[c->have++] = *p++; n--;
                if (c->have == 2) {
                    int size = c->head[1] & 127;
                    c->need = size == 126 ? 4 : size == 127 ? 10 : 2;
                }
            }
            if (c->have < c->need) return;
            int size = c->head[1] & 127;
            if (size == 126) c->rest = c->head[2] << 8 | c->head[3];
            else if (size == 127) { c->rest = 0; for (int i = 2; i < 10; i++) c->rest = c->rest << 8 | c->head[i]; }
            else c->rest = size;
            if (c->head[0] & 15) c->opcode = c->head[0] & 15;
            c->control = 0;
            if (c->rest == 0) { finished(c, now); c->have = 0; c->need = 2; continue; }
        }
        size_t take = n < c->rest ? n : c->rest;
        payload(c, p, take, now);
        p += take; n -= take; c->rest -= take;
        if (c->rest == 0) { finished(c, now); c->have = 0; c->need = 2; }
    }
}

static int start(struct conn *c, int number) {
    memset(c, 0, sizeof *c);
    c->number = number;
    c->need = 2;
    c->digits = -1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) { perror("socket"); return -1; }
    int one = 1, size = number < stalled_count ? stalled_rcvbuf : rcvbuf;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (size) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct sockaddr_in to = address;
    /* One address has too few ports for many connections; 127.0.0.2 and so on are this host too. */
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) { perror("connect"); return -1; }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &event);
    c->state = CONNECTING;
    in_flight++;
    return 0;
}

static void shake(struct conn *c) {
    char where[512], request[2048];
    snprintf(where, sizeof where, path, c->number);
    int n = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s%s\r\n", where, host, port,
        sse ? "" : "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
        extra);
    if (send(c->fd, request, n, MSG_NOSIGNAL) != n) { end(c); return; }
    c->state = SHAKING;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &event);
}

static void readable(struct conn *c) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) { end(c); return; }
    if (n < 0) return;
    uint64_t now = now_us();
    bytes += n;
    const unsigned char *p = buffer, *stop = buffer + n;
    if (c->state == SHAKING) {
        if (c->have == 0 && n >= 12 && memcmp(buffer, sse ? "HTTP/1.1 200" : "HTTP/1.1 101", 12)) { end(c); return; }
        c->have = 1;
        while (p < stop && c->tail < 4) {
            unsigned char b = *p++;
            if (b == "\r\n\r\n"[c->tail]) c->tail++;
            else c->tail = b == '\r';
        }
        if (c->tail < 4) return;
        c->have = 0;
        c->state = OPEN;
        in_flight--;
        opened++;
        if (subscribe_len) {
            if (binary_subscribe) send_frame(c, 2, (unsigned char *)subscribe, subscribe_len);
            else send_frame(c, 1, (unsigned char *)subscribe, subscribe_len);
        }
        if (c->number < stalled_count) {
            epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
            return;
        }
    }
    /* An event stream is scanned as it arrives, because no timestamp is split by a chunk header. */
    if (sse) scan(c, p, stop - p, now);
    else parse(c, p, stop - p, now);
}

static void turn(int wait_ms) {
    struct epoll_event events[1024];
    int n = epoll_wait(ep, events, 1024, wait_ms);
    for (int i = 0; i < n; i++) {
        struct conn *c = events[i].data.ptr;
        if (!c) continue;
        if (c->state == CONNECTING && events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error) { end(c); continue; }
            shake(c);
        } else if (c->state == SHAKING || c->state == OPEN) readable(c);
    }
}

static void reset(void) {
    frames = bytes = updates = latency_sum = latency_max = 0;
    memset(histogram, 0, sizeof histogram);
}

static void report(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"open\":%d,\"dead\":%d,\"refused\":%d,\"frames\":%llu,\"bytes\":%llu,\"updates\":%llu,"
           "\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"mean_ms\":%.3f,\"cpu_s\":%.3f,\"closed\":{",
           opened, dead, refused, (unsigned long long)frames, (unsigned long long)bytes,
           (unsigned long long)updates, quantile(.5), quantile(.9), quantile(.99),
           latency_max / 1000.0, updates ? latency_sum / 1000.0 / updates : -1, cpu);
    int first = 1;
    for (int code = 0; code < 5000; code++)
        if (closed_codes[code]) { printf("%s\"%d\":%llu", first ? "" : ",", code, (unsigned long long)closed_codes[code]); first = 0; }
    printf("}}\n");
    fflush(stdout);
}

static void connect_all(void) {
    uint64_t began = now_us();
    int next = 0;
    while (next < total || in_flight > 0) {
        while (next < total && in_flight < burst && now_us() - began >= (uint64_t)next * every_ms * 1000u) {
            if (start(&conns[next], next) < 0) { total = next; break; }
            next++;
        }
        turn(every_ms && next < total ? 1 : 1000);
        if (now_us() - began > 85000000ull) break;
    }
    printf("{\"seconds\":%.4f,\"open\":%d,\"refused\":%d}\n", (now_us() - began) / 1e6, opened, refused);
    fflush(stdout);
}

static void usage(void) {
    fputs("load HOST PORT N [--path P] [--header LINE] [--stamp KEY] [--send TEXT] [--send-hex HEX]\n"
          "  [--burst N] [--every MS] [--stalled N] [--rcvbuf BYTES] [--sse 1]\n"
          "P may contain one %d: the connection's number.\n", stderr);
    exit(2);
}

int main(int argc, char **argv) {
    if (argc < 4) usage();
    host = argv[1];
    port = atoi(argv[2]);
    total = atoi(argv[3]);
    for (int i = 4; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--path")) path = value;
        else if (!strcmp(name, "--header")) { char *line; if (asprintf(&line, "%s%s\r\n", extra, value) < 0) exit(1); extra = line; }
        else if (!strcmp(name, "--stamp")) key_line = value;
        else if (!strcmp(name, "--send")) { subscribe_len = (int)strlen(value); memcpy(subscribe, value, subscribe_len); }
        else if (!strcmp(name, "--send-hex")) {
            binary_subscribe = 1;
            subscribe_len = (int)strlen(value) / 2;
            for (int k = 0; k < subscribe_len; k++) sscanf(value + 2 * k, "%2hhx", (unsigned char *)&subscribe[k]);
        }
        else if (!strcmp(name, "--burst")) burst = atoi(value);
        else if (!strcmp(name, "--every")) every_ms = atoi(value);
        else if (!strcmp(name, "--stalled")) stalled_count = atoi(value);
        else if (!strcmp(name, "--rcvbuf")) rcvbuf = atoi(value);
        else if (!strcmp(name, "--sse")) sse = atoi(value);
        else usage();
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    conns = calloc(total, sizeof *conns);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    ep = epoll_create1(0);
    fcntl(0, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(ep, EPOLL_CTL_ADD, 0, &event);
    char line[256];
    size_t have = 0;
    for (;;) {
        ssize_t n = read(0, line + have, sizeof line - have - 1);
        if (n == 0) return 0;
        if (n > 0) {
            have += n;
            line[have] = 0;
            char *stop;
            while ((stop = strchr(line, '\n'))) {
                *stop = 0;
                if (!strcmp(line, "connect")) connect_all();
                else if (!strcmp(line, "reset")) { reset(); printf("{}\n"); fflush(stdout); }
                else if (!strcmp(line, "report")) report();
                else if (!strcmp(line, "quit")) return 0;
                have -= stop + 1 - line;
                memmove(line, stop + 1, have + 1);
            }
        }
        turn(100);
    }
}
