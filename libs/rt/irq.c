/* Device interrupts: messages that the core turns into events. */
#include <rt/event.h>

#include <abi/bulkhead.h>

#include <hcall.h>

int irq_alloc(uint64_t *address, uint32_t *data)
{
    struct evtchn_alloc_unbound port = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    int rc = hcall_event_alloc_unbound(&port);

    if (rc < 0)
        return rc;
    event_open(port.port);
    *address = (uint64_t)BULKHEAD_MSI_EVENT << 32;
    *data = port.port;
    return (int)port.port;
}
