/* Load for `scripts/bench tls`: N WebSockets over TLS 1.3 from one epoll loop.
 *
 * load HOST PORT N CA SOURCES BURST    the certificate is verified by CA; the sockets are bound to
 *                                      127.0.0.1 to 127.0.0.SOURCES in turn, because an address has
 *                                      only some 28,000 ports; BURST connect at once
 *
 * Commands are lines on standard input; each reply is one line of JSON on standard output:
 *   connect   open all with a full handshake, and wait until each has received its first frame
 *   resume    the same with the session that each had before, as browsers do
 *   close     close all
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 60

enum state { IDLE, CONNECTING, HANDSHAKE, RESPONSE, TOLD, FAILED };

struct conn {
    int fd;
    enum state state;
    SSL *ssl;
    SSL_SESSION *session;
    int have;          /* bytes of the response that end it, so far: \r\n\r\n */
};

static struct conn *conns;
static int total, sources, burst, ep, started, in_flight, told, failed, resumed;
static SSL_CTX *context;
static struct sockaddr_in address;
static const char *host;
static char request[512];

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu_s(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    struct conn *c = SSL_get_app_data(ssl);
    if (c->session) SSL_SESSION_free(c->session);
    c->session = session;
    return 1;
}

static void drop(struct conn *c) {
    if (c->state == IDLE) return;
    /* Otherwise its session counts as broken and is not resumed. */
    SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(c->ssl);
    close(c->fd);
    c->ssl = NULL;
}

static void end(struct conn *c, enum state state) {
    if (c->state == TOLD) {  /* the gateway ends it later, because it answers no ping */
        epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
        return;
    }
    in_flight--;
    if (state == TOLD) told++;
    else {
        failed++;
        drop(c);
    }
    c->state = state;
}

static void watch(struct conn *c, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(ep, operation, c->fd, &event);
}

static void begin(struct conn *c, int index, int with_session) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0x7f000001 + index % sources);
    int one = 1;
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bind(c->fd, (struct sockaddr *)&from, sizeof from);
    connect(c->fd, (struct sockaddr *)&address, sizeof address);
    c->ssl = SSL_new(context);
    SSL_set_app_data(c->ssl, c);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_connect_state(c->ssl);
    if (with_session && c->session) SSL_set_session(c->ssl, c->session);
    c->have = 0;
    c->state = CONNECTING;
    in_flight++;
    watch(c, EPOLLOUT, EPOLL_CTL_ADD);
}

static int wants(struct conn *c, int result) {
    int error = SSL_get_error(c->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) watch(c, EPOLLIN, EPOLL_CTL_MOD);
    else if (error == SSL_ERROR_WANT_WRITE) watch(c, EPOLLOUT, EPOLL_CTL_MOD);
    else return 0;
    return 1;
}

static void advance(struct conn *c) {
    static char buffer[65536];
    if (c->state == CONNECTING || c->state == HANDSHAKE) {
        c->state = HANDSHAKE;
        int done = SSL_do_handshake(c->ssl);
        if (done != 1) {
            if (!wants(c, done)) end(c, FAILED);
            return;
        }
        resumed += SSL_session_reused(c->ssl);
        watch(c, EPOLLIN, EPOLL_CTL_MOD);
        if (SSL_write(c->ssl, request, strlen(request)) <= 0) { end(c, FAILED); return; }
        c->state = RESPONSE;
    }
    for (;;) {
        int got = SSL_read(c->ssl, buffer, sizeof buffer);
        if (got <= 0) {
            if (!wants(c, got)) end(c, FAILED);
            return;
        }
        if (c->state != RESPONSE) continue;
        int i = 0;
        if (c->have == 0 && (got < 12 || memcmp(buffer, "HTTP/1.1 101", 12))) {
            end(c, FAILED);
            return;
        }
        for (; i < got && c->have < 5; i++) {
            char wanted = (c->have - 1) % 2 ? '\n' : '\r';
            if (c->have == 0) c->have = 1;
            else if (buffer[i] == wanted) c->have++;
            else c->have = buffer[i] == '\r' ? 2 : 1;
        }
        if (c->have == 5 && i < got) end(c, TOLD);  /* a byte of the first frame */
    }
}

static void open_all(int with_session) {
    double from = now_s(), cpu = cpu_s();
    struct epoll_event events[512];
    started = told = failed = resumed = in_flight = 0;
    while (told + failed < total && now_s() - from < LIMIT_S) {
        while (started < total && in_flight < burst) { begin(&conns[started], started, with_session); started++; }
        int count = epoll_wait(ep, events, 512, 100);
        for (int i = 0; i < count; i++) {
            struct conn *c = events[i].data.ptr;
            if (c->state != FAILED) advance(c);
        }
    }
    printf("{\"seconds\": %.3f, \"told\": %d, \"failed\": %d, \"resumed\": %d, \"cpu_s\": %.3f}\n",
           now_s() - from, told, failed, resumed, cpu_s() - cpu);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 7) { fprintf(stderr, "usage: load HOST PORT N CA SOURCES BURST\n"); return 2; }
    host = argv[1];
    total = atoi(argv[3]);
    sources = atoi(argv[5]);
    burst = atoi(argv[6]);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(argv[2]));
    inet_pton(AF_INET, host, &address.sin_addr);
    struct rlimit files = {total + 100, total + 100};
    setrlimit(RLIMIT_NOFILE, &files);
    snprintf(request, sizeof request,
             "GET /ws HTTP/1.1\r\nHost: %s:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Origin: https://%s:%s\r\n\r\n", host, argv[2], host, argv[2]);
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(context, argv[4], NULL) != 1) { fprintf(stderr, "no authority in %s\n", argv[4]); return 2; }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    conns = calloc(total, sizeof *conns);
    ep = epoll_create1(0);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "connect", 7)) open_all(0);
        else if (!strncmp(line, "resume", 6)) open_all(1);
        else if (!strncmp(line, "close", 5)) {
            for (int i = 0; i < total; i++) {
                if (conns[i].state != FAILED) drop(&conns[i]);
                conns[i].state = IDLE;
            }
            printf("{}\n");
            fflush(stdout);
        } else return 0;
    }
    return 0;
}
