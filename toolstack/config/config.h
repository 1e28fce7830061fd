/*
 * A host described in XML: host.xml and one file per domain, read, checked and
 * put in order. What a file asks for is either in these structures or refused.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnostics.h"

struct group_table;

/* Where the absolute paths of the XML files start. In the control domain {"", NULL}. */
struct config_root {
    const char *prefix; /* put before a path; "" for none */
    const char
        *images; /* folder that stands for /bulkhead; NULL: no such folder, PREFIX/bulkhead */
};

#define CONFIG_IMAGES "/bulkhead/" /* paths of the project's own images start so */

enum config_action { CONFIG_DESTROY, CONFIG_RESTART, CONFIG_PRESERVE };

enum config_class { CONFIG_DISK, CONFIG_INTERFACE };

/* What disks and interfaces have in common: another domain serves them. */
struct config_served {
    enum config_class class;
    char *backend_name;            /* as written; NULL: not given */
    struct domain_config *backend; /* found by config_check_set and config_check_one */
    uint32_t number;       /* of the virtual device: xvda is 51712, interfaces count from 0 */
    unsigned line;         /* of the device's element */
    unsigned source_line;  /* what a backend complains about is shown here */
    unsigned backend_line; /* of <backenddomain>, or of the device without one */
};

struct config_disk {
    struct config_served served;
    char *source; /* /dev/nvme0n1, /dev/vda1, /dev/disk/by-partlabel/LABEL; or the path of a file */
    bool is_file; /* type='file' */
    char *target; /* xvda */
    bool readonly;
    unsigned target_line;
    unsigned driver_line; /* where it says name='file'; 0: nowhere */
};

struct config_rate {
    uint32_t average; /* KiB/s; 0: no limit */
    uint32_t peak;    /* KiB/s; 0: not given */
    uint32_t burst;   /* KiB; 0: not given */
};

#define CONFIG_TAGS_MAX      128u /* they must fit a node of the store */
#define CONFIG_ADDRESSES_MAX 16u

struct config_vlan {
    bool trunk;      /* the guest tags its frames itself */
    uint16_t *tags;  /* without trunk the one that all its frames get */
    size_t count;    /* 0: no VLAN */
    uint16_t native; /* trunk: of frames without a tag; 0: there are none */
};

/* What a guest may not pretend to be; the names are libvirt's. */
enum config_filter {
    CONFIG_NO_FILTER,
    CONFIG_NO_MAC_SPOOFING,
    CONFIG_NO_IP_SPOOFING,
    CONFIG_NO_ARP_SPOOFING,
    CONFIG_CLEAN_TRAFFIC, /* all three */
};

struct config_address {
    bool is6;
    char *text;
    unsigned line;
};

struct config_interface {
    struct config_served served;
    char *bridge;   /* as the backend names it */
    char *target;   /* its name outside the guest; NULL: vifDOMAIN.NUMBER */
    uint8_t mac[6]; /* made from the domain's uuid and the number when not given */
    bool mac_given;
    bool isolated;
    uint16_t mtu;                /* 0: not given, 1500 */
    struct config_rate inbound;  /* to the guest */
    struct config_rate outbound; /* from it */
    struct config_vlan vlan;
    enum config_filter filter;
    struct config_address *addresses; /* none: the filters go by those that are used first */
    size_t address_count;
    unsigned mac_line; /* that of the interface when not given; so are the others */
    unsigned target_line;
    unsigned mtu_line;
    unsigned port_line;
    unsigned inbound_line;
    unsigned outbound_line;
    unsigned vlan_line;
    unsigned filter_line;
};

/* Of a net domain: a bridge and the NIC that joins it to the world. */
struct config_bridge {
    char *name;
    unsigned nic; /* the n-th <hostdev>, from 0 */
    unsigned line;
};

struct config_hostdev {
    uint16_t segment;
    uint8_t bus;
    uint8_t slot;
    uint8_t function;
    bool managed;          /* both mean the same here; kept for dumps */
    unsigned line;         /* of <hostdev> */
    unsigned address_line; /* of the source's <address> */
};

/* How often a driver domain that dies is started again, and after what pause. */
struct config_restart {
    unsigned budget;     /* restarts in any time of per_s */
    unsigned per_s;      /* seconds */
    unsigned backoff_ms; /* before the second restart in such a time; each later one adds as much */
};
#define CONFIG_BUDGET_MAX 100u

struct domain_config {
    char *file; /* as host.xml names it */
    char *name;
    uint8_t uuid[16]; /* made from the name, always the same, when not given */
    bool uuid_given;
    char *title;                   /* NULL: none */
    char *description;             /* NULL: none */
    uint64_t memory_bytes;         /* multiples of 1 KiB; the builder rounds up to whole frames */
    uint64_t current_memory_bytes; /* at most memory_bytes; what the balloon is told to keep */
    unsigned vcpus;
    char *kernel;                   /* paths are absolute and normal: no "..", ".", "//" in them */
    char *initrd;                   /* NULL: none */
    char *cmdline;                  /* NULL: none */
    enum config_action on_poweroff; /* CONFIG_DESTROY when not given */
    enum config_action on_reboot;   /* CONFIG_RESTART when not given */
    enum config_action on_crash;    /* CONFIG_DESTROY when not given */
    struct config_disk *disks;
    size_t disk_count;
    struct config_interface *interfaces;
    size_t interface_count;
    struct config_hostdev *hostdevs;
    size_t hostdev_count;
    struct config_bridge *bridges;
    size_t bridge_count;
    bool has_dma_limit;
    uint32_t dma_limit;   /* blocked accesses of one function that it survives; 255 at most */
    unsigned watchdog_ms; /* so long it may do without its main loop; 0: it is not watched */
    bool has_restart;
    struct config_restart restart; /* read by config_restart_of */
    uint32_t rights;               /* RIGHT_* asked for in <metadata>; 0: none */
    char *emulator;                /* accepted and unused; NULL: none */
    bool autostart;                /* filled in by config_set_load: what host.xml says */
    bool refused;                  /* a check over all domains failed: do not start it */

    /* Lines for later complaints; that of the parent where the element is absent. */
    unsigned line; /* of <domain> */
    unsigned name_line;
    unsigned uuid_line;
    unsigned memory_line;
    unsigned current_memory_line;
    unsigned vcpu_line;
    unsigned kernel_line;
    unsigned initrd_line;
    unsigned rights_line;
    unsigned watchdog_line;
    unsigned restart_line;
};

struct host_domain {
    char *file;
    bool autostart;
    unsigned line;
};

struct host_config {
    struct host_domain *domains; /* in the order of host.xml */
    size_t domain_count;
    bool iommu_required;
    unsigned iommu_line;
    bool faults_allowed;  /* false when not given */
    unsigned faults_line; /* 0: not given */
};

/*
 * All return 0 or a negative error number; what is wrong with the files is in
 * the list. -EINVAL: the file is bad. -ENOENT: there is none.
 */
int config_host_load(const struct config_root *root, struct host_config **out,
                     struct diagnostics *list);
int config_domain_load(const struct config_root *root, const char *file, struct domain_config **out,
                       struct diagnostics *list);
void config_host_free(struct host_config *host);
void config_domain_free(struct domain_config *domain);

/* The host as a whole: host.xml and every domain of it that could be read. */
struct config_set {
    struct host_config *host;
    struct domain_config **domains; /* in the order of host.xml, without the unreadable ones */
    size_t count;
    bool complete; /* no file named in host.xml was left out */
};

/* Fails only when host.xml itself is unusable. A bad domain file is left out, with its reasons. */
int config_set_load(const struct config_root *root, struct config_set *out,
                    struct diagnostics *list);
void config_set_free(struct config_set *set);

/* What the host has, for the checks over all domains. */
struct config_limits {
    const struct config_root *root;      /* NULL: do not look for kernels and initrds */
    bool iommu_required;                 /* from host.xml */
    bool iommu_present;                  /* false: an assignment needs iommu_required == false */
    const struct group_table *functions; /* the host's PCI functions; NULL: not known */
    uint64_t memory_bytes;               /* for the domains that are checked; 0: not checked */
    bool incomplete;                     /* some file could not be read: messages say so */
};

/*
 * Checks every domain against the others: names, PCI functions, backends (and
 * resolves served.backend), cycles, memory, files. A domain that cannot start
 * gets `refused` and a reason in the list; so does who needs it.
 * Returns the number of refused domains or -ENOMEM.
 */
int config_check_set(struct domain_config *const *domains, size_t count,
                     const struct config_limits *limits, struct diagnostics *list);

/* The same for the domain at `index` alone; the others (running ones) are taken as good. */
int config_check_one(struct domain_config *const *domains, size_t count, size_t index,
                     const struct config_limits *limits, struct diagnostics *list);

/*
 * Who starts when, after config_check_set: writes the domains that are not
 * refused and either have autostart or are needed by one that has, backends
 * before who uses them, else in the given order. Returns how many.
 */
size_t config_order(struct domain_config *const *domains, size_t count, struct domain_config **out);

/* The virtual device number of xvda, xvdb ... xvdzz; 0 if it is none of these. */
uint32_t config_disk_number(const char *target);

/* A domain's disks, then its interfaces: what others serve to it. */
size_t config_served_count(const struct domain_config *domain);
struct config_served *config_served(const struct domain_config *domain, size_t index);

/* What it is the common part of. */
const struct config_disk *config_disk_of(const struct config_served *served);
const struct config_interface *config_interface_of(const struct config_served *served);

/* "clean-traffic" ...; NULL for none. */
const char *config_filter_name(enum config_filter filter);

/* "disk xvda", "interface 0": how messages call it. */
#define CONFIG_LABEL_MAX 24
const char *config_served_label(const struct config_served *served, char text[CONFIG_LABEL_MAX]);

/* A domain that owns a PCI function serves others and is not counted as a guest. */
static inline bool config_is_driver(const struct domain_config *domain)
{
    return domain->hostdev_count > 0;
}

/* A net domain: one that runs our image for interfaces, with NICs or without. */
#define CONFIG_NET_IMAGE CONFIG_IMAGES "net.elf"
bool config_is_net(const struct domain_config *domain);

/* One of ours that serves others: it says by the node backend-ready that it does. */
bool config_announces(const struct domain_config *domain);

/* What its file says of restarts, or what holds without a word. */
struct config_restart config_restart_of(const struct domain_config *domain);

/* One of the project's own images, such as /bulkhead/block.elf. */
bool config_is_image(const struct domain_config *domain);

#endif
