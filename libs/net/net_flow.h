/* Which frames belong together, so that they stay in one queue and in order. Pure. */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include <stdint.h>

/* A number that all frames of a connection share; head: the first len bytes of the frame. */
uint32_t net_flow(const uint8_t *head, uint32_t len);

#endif
