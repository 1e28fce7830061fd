/* Packets' references. */
#include "net_port.h"

void net_packet_put(struct net_packet *p)
{
    if (--p->refs == 0)
        p->from->driver->done(p->from, p);
}
