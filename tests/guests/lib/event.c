#include "event.h"

#include "call.h"
#include "param.h"
#include "start.h"
#include "trap.h"

#include <abi/memory.h>

#define WORD_BITS (8 * sizeof(unsigned long))

union shared_page {
    struct shared_info info;
    uint8_t bytes[4096];
};

volatile evtchn_port_t event_last;
volatile uint64_t event_upcall_tsc;
static union shared_page page __attribute__((aligned(4096)));

void event_upcall(void);

static unsigned long bit_of(evtchn_port_t port)
{
    return 1ul << (port % WORD_BITS);
}

long event_init(void)
{
    struct xen_add_to_physmap request = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = call_address(&page) / sizeof(page),
    };
    long status = call_memory(XENMEM_add_to_physmap, &request);

    for (unsigned i = 0; !status && i < sizeof(page.info.evtchn_mask) / sizeof(unsigned long); i++)
        page.info.evtchn_mask[i] = ~0ul;
    return status;
}

long event_ask_upcall(void)
{
    return param_set(HVM_PARAM_CALLBACK_IRQ,
                     (uint64_t)HVM_CALLBACK_TYPE_VECTOR << HVM_CALLBACK_TYPE_SHIFT | TRAP_UPCALL);
}

const volatile struct shared_info *event_shared(void)
{
    return &page.info;
}

bool event_is_pending(evtchn_port_t port)
{
    unsigned long word =
        __atomic_load_n(&page.info.evtchn_pending[port / WORD_BITS], __ATOMIC_ACQUIRE);

    return (word & bit_of(port)) != 0;
}

void event_clear(evtchn_port_t port)
{
    __atomic_fetch_and(&page.info.evtchn_pending[port / WORD_BITS], ~bit_of(port),
                       __ATOMIC_SEQ_CST);
}

void event_mask(evtchn_port_t port)
{
    __atomic_fetch_or(&page.info.evtchn_mask[port / WORD_BITS], bit_of(port), __ATOMIC_SEQ_CST);
}

void event_unmask(evtchn_port_t port)
{
    call_event(EVTCHNOP_unmask, &(struct evtchn_unmask){.port = port});
}

long event_send(evtchn_port_t port)
{
    return call_event(EVTCHNOP_send, &(struct evtchn_send){.port = port});
}

long event_pair(evtchn_port_t *first, evtchn_port_t *second)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
    long status = call_event(EVTCHNOP_alloc_unbound, &unbound);

    if (status)
        return status;
    bind.remote_port = unbound.port;
    status = call_event(EVTCHNOP_bind_interdomain, &bind);
    *first = unbound.port;
    *second = bind.local_port;
    if (!status) {
        /* A new port starts pending. */
        event_clear(*first);
        event_clear(*second);
    }
    return status;
}

/* Called by the upcall's entry, interrupts off. */
void event_upcall(void)
{
    struct vcpu_info *vcpu = &page.info.vcpu_info[0];
    unsigned long words;

    vcpu->evtchn_upcall_pending = 0;
    words = __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1) {
        unsigned word = (unsigned)__builtin_ctzl(words);
        unsigned long bits = __atomic_load_n(&page.info.evtchn_pending[word], __ATOMIC_ACQUIRE) &
                             ~__atomic_load_n(&page.info.evtchn_mask[word], __ATOMIC_ACQUIRE);

        for (; bits; bits &= bits - 1) {
            evtchn_port_t port = (evtchn_port_t)(word * WORD_BITS + (unsigned)__builtin_ctzl(bits));

            event_clear(port);
            event_last = port;
        }
    }
}
