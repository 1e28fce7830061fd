/* Our few extensions: one hypercall, for what Xen's public interface has no fit. */
#ifndef ABI_BULKHEAD_H
#define ABI_BULKHEAD_H

#include <abi/xen.h>

/* Hypercall number; first argument one of BULKHEAD_*, second its structure. */
#define HYPERVISOR_BULKHEAD __HYPERVISOR_arch_7

/* Linear addresses in these structures are plain integers. */

/*
 * In mem_flags of XENMEM_populate_physmap: the frames of the same numbers in the
 * machine, or none. For a domain that has never run; RIGHT_BUILD and RIGHT_HARDWARE.
 */
#define BULKHEAD_POPULATE_EXACT (1u << 24)

/* Gives a domain the name that the core shows before its lines; once, before it first runs. */
#define BULKHEAD_domain_label 0
#define BULKHEAD_LABEL_MAX    64
struct bulkhead_domain_label {
    uint16_t domid;
    uint16_t pad[3];
    char label[BULKHEAD_LABEL_MAX]; /* NUL-terminated, [A-Za-z0-9][A-Za-z0-9_.-]* */
};

/* Sets a domain's rights (RIGHT_*), a subset of the caller's; once, before it first runs. */
#define BULKHEAD_domain_rights 1
struct bulkhead_domain_rights {
    uint16_t domid;
    uint16_t pad;
    uint32_t rights;
};

/* Gives up rights of the caller, for good. */
#define BULKHEAD_rights_drop 2
struct bulkhead_rights_drop {
    uint32_t rights;
};

/*
 * Registers (or forgets) that two domains may share by event channels and
 * grants. peer may be DOMID_INVALID: everyone, for a domain that serves all.
 * Forgetting stops new ones: what is bound or mapped already stays until it is closed.
 */
#define BULKHEAD_pair        3
#define BULKHEAD_PAIR_REMOVE (1u << 0)
struct bulkhead_pair {
    uint16_t domid;
    uint16_t peer;
    uint32_t flags;
};

/*
 * Copies between the caller's buffer and another domain's guest-physical
 * memory. Into a domain that has never run: RIGHT_BUILD; out of one, or of any
 * domain: RIGHT_MEMORY. Restarts by itself when interrupted.
 */
#define BULKHEAD_memory_copy 4
#define BULKHEAD_COPY_READ   (1u << 0) /* out of the domain; otherwise into it */
struct bulkhead_memory_copy {
    uint16_t domid;
    uint16_t pad;
    uint32_t flags;
    uint64_t gpa;    /* IN/OUT: advanced by what was copied */
    uint64_t buffer; /* IN/OUT: linear address in the caller */
    uint64_t len;    /* IN/OUT: bytes left */
};

/* Gives a vCPU of a domain that has never run its PVH entry state. */
#define BULKHEAD_vcpu_start 5
struct bulkhead_vcpu_start {
    uint16_t domid;
    uint16_t pad;
    uint32_t vcpu;
    uint32_t entry;      /* 32-bit physical entry point */
    uint32_t start_info; /* guest-physical address, passed in EBX */
};

/* Writes an entry of a domain's grant table before the domain first runs. */
#define BULKHEAD_grant_seed 6
struct bulkhead_grant_seed {
    uint16_t domid;
    uint16_t peer; /* who may map it */
    uint32_t ref;
    uint64_t gfn;
};

/* Counters of one domain since its creation. */
#define BULKHEAD_domain_stats 7
#define BULKHEAD_EXIT_KINDS   16
struct bulkhead_domain_stats {
    uint16_t domid; /* IN */
    uint16_t pad[3];
    uint64_t frames;        /* RAM frames owned now */
    uint64_t pool_bytes;    /* of the core's own memory used for it */
    uint64_t exits;         /* all VM exits */
    uint64_t hypercalls;    /* of them, hypercalls */
    uint64_t events_sent;   /* event channel notifications it sent */
    uint64_t upcalls;       /* event interrupts delivered to it */
    uint64_t interrupts;    /* device interrupts delivered to it */
    uint64_t grants_mapped; /* foreign grants it has mapped now */
    uint64_t grant_maps;    /* map operations done */
    uint64_t grant_copies;  /* copy operations done */
    uint64_t holes_read;    /* reads of guest-physical addresses where nothing is */
    uint64_t holes_written;
    uint64_t cpu_ns;                        /* time its vCPUs ran */
    uint64_t exits_by[BULKHEAD_EXIT_KINDS]; /* enum bulkhead_exit */
    uint64_t dma_blocked;                   /* accesses of its devices that the IOMMU refused */
};
enum bulkhead_exit {
    BULKHEAD_EXIT_OTHER,
    BULKHEAD_EXIT_INTERRUPT,
    BULKHEAD_EXIT_HYPERCALL,
    BULKHEAD_EXIT_HLT,
    BULKHEAD_EXIT_CPUID,
    BULKHEAD_EXIT_MSR,
    BULKHEAD_EXIT_IO,
    BULKHEAD_EXIT_CR,
    BULKHEAD_EXIT_WINDOW,
    BULKHEAD_EXIT_LAPIC,
    BULKHEAD_EXIT_PCI,
    BULKHEAD_EXIT_HOLE,
};

/* The index-th PCI function of the host; -ENOENT past the last. */
#define BULKHEAD_pci_info       8
#define BULKHEAD_PCI_RESERVED   (1u << 0) /* kept by the core: bridge or IOMMU */
#define BULKHEAD_PCI_MSI        (1u << 1)
#define BULKHEAD_PCI_MSIX       (1u << 2)
#define BULKHEAD_PCI_UNCLEAN    (1u << 3) /* no reset took away what an earlier owner left in it */
#define BULKHEAD_PCI_ACS        (1u << 4) /* has access control services */
#define BULKHEAD_PCI_CONTAINED  (1u << 5) /* an IOMMU can contain it */
/* Access control: what keeps functions from reaching each other past the IOMMU. */
#define BULKHEAD_ACS_SOURCE     (1u << 0) /* source validation */
#define BULKHEAD_ACS_REQUEST    (1u << 2) /* requests to peers go upstream */
#define BULKHEAD_ACS_COMPLETION (1u << 3)
#define BULKHEAD_ACS_FORWARD    (1u << 4) /* upstream forwarding */
#define BULKHEAD_ACS_ALL                                                                           \
    (BULKHEAD_ACS_SOURCE | BULKHEAD_ACS_REQUEST | BULKHEAD_ACS_COMPLETION | BULKHEAD_ACS_FORWARD)
#define BULKHEAD_PCI_CONVENTIONAL 0xffu
struct bulkhead_pci_info {
    uint32_t index; /* IN */
    uint32_t sbdf;  /* segment << 16 | bus << 8 | device << 3 | function */
    uint16_t vendor;
    uint16_t device;
    uint32_t class_revision; /* configuration dword 2 */
    uint16_t owner;          /* DOMID_INVALID: nobody */
    uint16_t pad;
    uint32_t flags;
    uint8_t header;                 /* layout of its configuration space; 1: a bridge */
    uint8_t port;                   /* PCI Express' type of it, or BULKHEAD_PCI_CONVENTIONAL */
    uint8_t secondary, subordinate; /* of a bridge: the buses behind it */
    uint16_t acs;                   /* what its access control can do, */
    uint16_t acs_on;                /* and what of that is on */
};

/*
 * The addresses a device of the caller must use to reach frames of the
 * caller's own RAM: without an IOMMU the machine addresses, with one the
 * guest-physical ones. Only for a domain that owns a PCI function.
 */
#define BULKHEAD_dma_address 9
struct bulkhead_dma_address {
    uint64_t gfn;    /* IN/OUT: advanced by what was told, as count and buffer are */
    uint64_t count;  /* IN/OUT: frames left */
    uint64_t buffer; /* IN/OUT: linear address of count uint64_t, byte addresses */
};

/*
 * Routes what is typed: to the domid's console, or back to the caller
 * (DOMID_SELF). DOMID_INVALID only asks. OUT: who has it now, the prompt being
 * the id of the domain that serves it. ^] gives it back
 * to the prompt, which is told by VIRQ_CONSOLE.
 */
#define BULKHEAD_console_attach 10
struct bulkhead_console_attach {
    uint16_t domid; /* IN/OUT */
    uint16_t pad[3];
};

/* Shows bytes that a domain wrote to its console. RIGHT_CONSOLE. */
#define BULKHEAD_console_put    11
#define BULKHEAD_CONSOLE_REPLAY (1u << 0) /* history: only if the domain is attached */
struct bulkhead_console_put {
    uint16_t domid;
    uint16_t pad;
    uint32_t flags;
    uint64_t buffer;
    uint64_t len; /* at most 4,096 */
};

/* Takes what was typed for the attached domain. RIGHT_CONSOLE. Told by VIRQ_CONSOLE. */
#define BULKHEAD_console_get 12
struct bulkhead_console_get {
    uint16_t domid; /* OUT: who is attached, DOMID_INVALID: nobody */
    uint16_t pad;
    uint32_t session; /* OUT: counts attachments; a change asks for the history */
    uint64_t buffer;
    uint64_t len; /* IN: room, OUT: bytes */
};

/* Stops or restarts the host. status is shown where the machine can (0 to 63). */
#define BULKHEAD_host_shutdown 13
#define BULKHEAD_HOST_POWEROFF 0
#define BULKHEAD_HOST_REBOOT   1
struct bulkhead_host_shutdown {
    uint32_t action;
    uint32_t status;
};

/* What the host has and how it was told to run. */
#define BULKHEAD_host_info     14
#define BULKHEAD_HOST_HEADLESS (1u << 0) /* console lines carry their writer's name */
#define BULKHEAD_HOST_IOMMU    (1u << 1) /* device DMA is contained */
struct bulkhead_host_info {
    uint64_t memory_bytes; /* RAM found at boot */
    uint64_t free_bytes;   /* free for domains */
    uint64_t core_bytes;   /* image and pool: never given to domains */
    uint64_t pool_free_bytes;
    uint64_t uptime_ns;
    uint64_t wallclock_s; /* Unix time now */
    uint32_t cpus;
    uint32_t flags;
};

/*
 * Sends, then sleeps: plain words. The second is a system time in ns at which
 * the caller wants to go on (0: at once, it only sends; UINT64_MAX: never), the
 * third four ports to be sent on, 16 bits each, 0 being none. The sleep ends
 * when an event of the caller that it has not masked is pending, interrupts on
 * or off, so a program that waits here needs no interrupt at all.
 */
#define BULKHEAD_event_wait       15
#define BULKHEAD_EVENT_WAIT_PORTS 4

/*
 * Puts a domain back to before it first ran, under the same id. Its vCPUs stop;
 * its functions are fenced and handed out anew, not reset; what it had mapped of
 * others is unmapped; its ports are closed but those of store and console, so
 * that its peers' ends wait for the same domain again. Rights are to be given
 * again. Memory keeps its content: the builder writes what must be new.
 */
#define BULKHEAD_domain_reset 16
struct bulkhead_domain_reset {
    uint16_t domid;
    uint16_t pad[3];
};

/*
 * Makes a domain crash at so many blocked accesses of one of its functions, counted
 * from when the domain got it (0, as without this call: never). The core records
 * no more than BULKHEAD_DMA_LIMIT_MAX of a function. Before the domain first runs.
 */
#define BULKHEAD_dma_limit     17
#define BULKHEAD_DMA_LIMIT_MAX 256
struct bulkhead_dma_limit {
    uint16_t domid;
    uint16_t pad;
    uint32_t count;
};

/*
 * Upper half of the address of an MSI or MSI-X message that is no interrupt but
 * an event: its data is a port of the function's owner, unbound or bound.
 */
#define BULKHEAD_MSI_EVENT 0x42484556u

_Static_assert(sizeof(struct bulkhead_domain_label) == 72, "label");
_Static_assert(sizeof(struct bulkhead_memory_copy) == 32, "memory copy");
_Static_assert(sizeof(struct bulkhead_vcpu_start) == 16, "vCPU start");
_Static_assert(sizeof(struct bulkhead_grant_seed) == 16, "grant seed");
_Static_assert(sizeof(struct bulkhead_domain_stats) == 248, "statistics");
_Static_assert(sizeof(struct bulkhead_domain_reset) == 8, "reset");
_Static_assert(sizeof(struct bulkhead_pci_info) == 32, "PCI function");
_Static_assert(sizeof(struct bulkhead_console_put) == 24, "console put");
_Static_assert(sizeof(struct bulkhead_console_get) == 24, "console get");
_Static_assert(sizeof(struct bulkhead_host_info) == 56, "host");

#endif
