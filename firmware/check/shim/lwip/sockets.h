// SPDX-License-Identifier: GPL-3.0-or-later
/* See Arduino.h. */
#ifndef SHIM_LWIP_SOCKETS_H
#define SHIM_LWIP_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/time.h>

typedef uint32_t socklen_t;
#define AF_INET 2
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOL_SOCKET 0xfff
#define SO_ERROR 0x1007
#define IPPROTO_TCP 6
#define TCP_NODELAY 0x01
#define IPPROTO_IP 0
#define IP_ADD_MEMBERSHIP 3
#define SO_REUSEADDR 0x0004
#define SHUT_WR 1
#define F_SETFL 4
#define O_NONBLOCK 1

struct in_addr {
  uint32_t s_addr;
};
struct sockaddr {
  uint8_t sa_len;
  uint8_t sa_family;
  char sa_data[14];
};
struct sockaddr_in {
  uint8_t sin_len;
  uint8_t sin_family;
  uint16_t sin_port;
  struct in_addr sin_addr;
  char sin_zero[8];
};

struct ip_mreq {
  struct in_addr imr_multiaddr;
  struct in_addr imr_interface;
};

extern "C" {
uint16_t lwip_htons(uint16_t number);
int inet_pton(int family, const char *text, void *out);
int lwip_socket(int family, int type, int protocol);
int lwip_connect(int socket, const struct sockaddr *address, socklen_t size);
int lwip_fcntl(int socket, int command, int value);
int lwip_setsockopt(int socket, int level, int option, const void *value, socklen_t size);
int lwip_getsockopt(int socket, int level, int option, void *value, socklen_t *size);
int lwip_select(int count, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout);
int lwip_recv(int socket, void *out, size_t capacity, int flags);
int lwip_send(int socket, const void *data, size_t size, int flags);
int lwip_close(int socket);
int lwip_bind(int socket, const struct sockaddr *address, socklen_t size);
int lwip_listen(int socket, int backlog);
int lwip_accept(int socket, struct sockaddr *address, socklen_t *size);
int lwip_shutdown(int socket, int how);
int lwip_recvfrom(int socket, void *out, size_t capacity, int flags, struct sockaddr *from, socklen_t *size);
int lwip_sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size);
}

#endif
