// Load for bench/proxy.ts: the engine and the clients in one single-threaded process, so that all stamps come from one clock.
// Each event carries the time at which it was written. Prints one line of JSON.
//   proxy-load LISTEN_PORT TARGET_PORT STREAMS EVENTS_PER_SECOND SECONDS closed|paced
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MAX_STREAMS 4096
#define EVENT_BYTES 256
#define HOLD 8192
#define MARK "\"content\":\""
#define MAX_SAMPLES 4000000

enum kind { LISTENER, ENGINE, CLIENT };
struct peer {
  enum kind kind;
  int fd, slot;
  char held[HOLD];
  int length;
};
struct stream {
  struct peer *engine, *client;
  int64_t sent, seen, next, start; /* request written, request seen by the engine, next event due, next request due */
  int left, first, busy;
};

static struct stream streams[MAX_STREAMS];
static int epoll, count, closed;
static int64_t interval, begin, measure_from, until;
static double *ttft, *gap;
static long ttfts, gaps, events, requests, errors;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static uint64_t seed = 88172645463325252ULL;
static uint32_t draw(uint32_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return (seed >> 16) % below;
}
static void watch(struct peer *p) {
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
  int one = 1;
  setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &e);
}
static struct peer *peer_of(enum kind kind, int fd, int slot) {
  struct peer *p = calloc(1, sizeof *p);
  p->kind = kind, p->fd = fd, p->slot = slot;
  watch(p);
  return p;
}
static void put(int fd, const char *bytes, int size) {
  if (write(fd, bytes, size) != size) errors++;
}
static void connect_client(int slot, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) perror("connect"), exit(1);
  streams[slot].client = peer_of(CLIENT, fd, slot);
}
static void send_request(int slot) {
  char text[1024], body[512];
  int size = snprintf(body, sizeof body, "{\"model\":\"bench\",\"stream\":true,\"max_tokens\":64,\"messages\":[{\"role\":\"user\",\"content\":\"%0200d\"}]}", slot);
  int all = snprintf(text, sizeof text,
                     "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nX-Slot: %d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", slot,
                     size, body);
  streams[slot].sent = now(), streams[slot].first = 1, streams[slot].busy = 1, requests++;
  put(streams[slot].client->fd, text, all);
}
static void send_event(struct stream *s, const char *head) {
  char chunk[EVENT_BYTES + 512], event[EVENT_BYTES + 1];
  int size = snprintf(event, sizeof event, "data: {\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\",\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{" MARK "%020lld\"},\"pad\":\"", (long long)now());
  memset(event + size, 'x', EVENT_BYTES - size - 7);
  memcpy(event + EVENT_BYTES - 7, "\"}]}\n\n", 6);
  int framed = snprintf(chunk, sizeof chunk, "%s%x\r\n", head, EVENT_BYTES - 1);
  memcpy(chunk + framed, event, EVENT_BYTES - 1);
  memcpy(chunk + framed + EVENT_BYTES - 1, "\r\n", 2);
  put(s->engine->fd, chunk, framed + EVENT_BYTES + 1);
  s->left--;
}
static void send_end(struct stream *s) {
  static const char end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
  put(s->engine->fd, end, sizeof end - 1);
  s->next = 0;
}
static void engine_request(struct peer *p) {
  static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
  char *field = strcasestr(p->held, "x-slot: ");
  if (field == NULL) return;
  struct stream *s = &streams[atoi(field + 8)];
  s->engine = p, s->seen = now(), s->left = 20 + draw(60), p->length = 0;
  send_event(s, head);
  s->next = closed ? 0 : now() + interval;
}
static void on_client(struct peer *p, int64_t at) {
  struct stream *s = &streams[p->slot];
  char *from = p->held, *mark;
  p->held[p->length] = 0;
  while ((mark = strstr(from, MARK)) != NULL && mark + sizeof MARK - 1 + 20 <= p->held + p->length) {
    int64_t written = atoll(mark + sizeof MARK - 1);
    double us = (at - written) / 1e3;
    if (at > measure_from) {
      events++;
      if (s->first && ttfts < MAX_SAMPLES) ttft[ttfts++] = (s->seen - s->sent) / 1e3 + us;
      else if (!s->first && gaps < MAX_SAMPLES) gap[gaps++] = us;
    }
    s->first = 0;
    from = mark + sizeof MARK - 1 + 20;
    if (closed) s->left > 0 ? send_event(s, "") : send_end(s);
  }
  if (strstr(from, "[DONE]") != NULL) {
    p->length = 0, s->busy = 0, s->start = at + 1000000LL + draw(20000000);
    return;
  }
  int rest = p->held + p->length - from;
  if (rest > 64) from += rest - 64, rest = 64;
  memmove(p->held, from, rest);
  p->length = rest;
}
static void on_readable(struct peer *p) {
  if (p->kind == LISTENER) {
    peer_of(ENGINE, accept(p->fd, NULL, NULL), -1);
    return;
  }
  int size = read(p->fd, p->held + p->length, HOLD - 1 - p->length);
  if (size <= 0) {
    if (p->kind == CLIENT) errors++;
    epoll_ctl(epoll, EPOLL_CTL_DEL, p->fd, NULL), close(p->fd);
    return;
  }
  p->length += size;
  p->held[p->length] = 0;
  if (p->kind == CLIENT) on_client(p, now());
  else if (strstr(p->held, "}]}") != NULL) engine_request(p);
}
static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}
static double quantile(double *values, long size, double q) {
  return size == 0 ? -1 : values[(long)(q * (size - 1))];
}
int main(int argc, char **argv) {
  if (argc != 7) return fprintf(stderr, "proxy-load LISTEN TARGET STREAMS RATE SECONDS closed|paced\n"), 2;
  int listen_port = atoi(argv[1]), target = atoi(argv[2]);
  count = atoi(argv[3]), interval = (int64_t)(1e9 / atof(argv[4])), closed = strcmp(argv[6], "closed") == 0;
  ttft = malloc(MAX_SAMPLES * sizeof *ttft), gap = malloc(MAX_SAMPLES * sizeof *gap);
  epoll = epoll_create1(0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(listen_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0) return perror("listen"), 1;
  peer_of(LISTENER, fd, -1);
  for (int slot = 0; slot < count; slot++) connect_client(slot, target);
  begin = now(), measure_from = begin + 1000000000LL, until = measure_from + (int64_t)(atof(argv[5]) * 1e9);
  for (int slot = 0; slot < count; slot++) streams[slot].start = begin + draw(500000000);
  for (int64_t at = begin; at < until; at = now()) {
    struct epoll_event ready[256];
    int64_t due = at + 5000000;
    for (int slot = 0; slot < count; slot++) {
      struct stream *s = &streams[slot];
      if (!s->busy && s->start <= at) send_request(slot);
      if (s->next != 0 && s->next <= at) {
        if (s->left > 0) send_event(s, ""), s->next += interval;
        else send_end(s);
      }
      int64_t next = s->next != 0 ? s->next : !s->busy ? s->start : due;
      if (next < due) due = next;
    }
    int64_t wait = due - now();
    struct timespec pause = {.tv_sec = 0, .tv_nsec = wait < 0 ? 0 : wait};
    int size = epoll_pwait2(epoll, ready, 256, &pause, NULL);
    for (int index = 0; index < size; index++) on_readable(ready[index].data.ptr);
  }
  qsort(ttft, ttfts, sizeof *ttft, ascending), qsort(gap, gaps, sizeof *gap, ascending);
  printf("{\"requests\":%ld,\"events\":%ld,\"errors\":%ld,\"ttftP50\":%.1f,\"ttftP99\":%.1f,\"chunkP50\":%.1f,\"chunkP99\":%.1f}\n", requests, events, errors,
         quantile(ttft, ttfts, .5), quantile(ttft, ttfts, .99), quantile(gap, gaps, .5), quantile(gap, gaps, .99));
  return 0;
}
