/* A domain's own network interface, with nothing between the program and its rings. */
#ifndef VIF_H
#define VIF_H

#include <net_front.h>
#include <store_client.h>

#define VIF_PAGES   8u
#define VIF_PAGE(n) (16u + (n)) /* the reference of a data page */

struct vif {
    struct store_client store;
    char back[64]; /* the back end's directory */
    domid_t peer;
    uint8_t mac[6];
    evtchn_port_t port;
    struct grant_entry_v1 *grants;
    uint8_t *rings; /* two pages */
    uint8_t *data;  /* VIF_PAGES, granted */
    struct net_front front;
};

/* Ends the program if the domain has no interface. */
void vif_open(struct vif *v);

/* Fresh rings, and the handshake until both ends are connected; false: the back end did not come.
 */
bool vif_connect(struct vif *v);
void vif_disconnect(struct vif *v);

/* Waits for a state of the back end's; false: not in time. */
bool vif_wait_state(struct vif *v, unsigned state);

/* The back end's state now. */
unsigned vif_state(struct vif *v);

/* Makes the first data page the begin of a frame to everybody. */
void vif_address(struct vif *v);

/* The next answer's status, or -100: none in time. */
int vif_answer(struct vif *v);

#endif
