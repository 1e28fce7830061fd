/* The elements of a domain's description: the table, and the setters that its rows name. */
#ifndef ELEMENTS_H
#define ELEMENTS_H

#include "walk.h"

#define ELEMENTS_URI "urn:bulkhead:1"

extern const struct walk_grammar elements_domain;
extern const struct walk_grammar elements_host;

/* What people write who know libvirt, and what to tell them. */
extern const struct walk_hint elements_hints[];

int domain_set_name(struct walk *walk, const char *text);
int domain_set_uuid(struct walk *walk, const char *text);
int domain_set_title(struct walk *walk, const char *text);
int domain_set_description(struct walk *walk, const char *text);
int domain_begin_memory(struct walk *walk);
int domain_set_memory_unit(struct walk *walk, const char *text);
int domain_set_memory(struct walk *walk, const char *text);
int domain_set_current_memory(struct walk *walk, const char *text);
int domain_begin_vcpu(struct walk *walk);
int domain_set_kernel(struct walk *walk, const char *text);
int domain_set_initrd(struct walk *walk, const char *text);
int domain_set_cmdline(struct walk *walk, const char *text);
int domain_set_on_poweroff(struct walk *walk, const char *text);
int domain_set_on_reboot(struct walk *walk, const char *text);
int domain_set_on_crash(struct walk *walk, const char *text);
int domain_set_emulator(struct walk *walk, const char *text);
int domain_set_right(struct walk *walk, const char *text);

int device_begin_disk(struct walk *walk);
int device_set_type(struct walk *walk, const char *text);
int device_set_driver(struct walk *walk, const char *text);
int device_set_file(struct walk *walk, const char *text);
int device_set_source(struct walk *walk, const char *text);
int device_set_target(struct walk *walk, const char *text);
int device_begin_readonly(struct walk *walk);
int device_set_backend(struct walk *walk, const char *text);
int device_begin_hostdev(struct walk *walk);
int device_set_managed(struct walk *walk, const char *text);
int device_begin_address(struct walk *walk);
int device_set_segment(struct walk *walk, const char *text);
int device_set_bus(struct walk *walk, const char *text);
int device_set_slot(struct walk *walk, const char *text);
int device_set_function(struct walk *walk, const char *text);

int interface_begin(struct walk *walk);
int interface_set_bridge(struct walk *walk, const char *text);
int interface_set_mac(struct walk *walk, const char *text);
int interface_set_backend(struct walk *walk, const char *text);
int interface_set_target(struct walk *walk, const char *text);
int interface_set_mtu(struct walk *walk, const char *text);
int interface_set_isolated(struct walk *walk, const char *text);
int interface_begin_inbound(struct walk *walk);
int interface_begin_outbound(struct walk *walk);
int interface_set_average(struct walk *walk, const char *text);
int interface_set_peak(struct walk *walk, const char *text);
int interface_set_burst(struct walk *walk, const char *text);
int interface_begin_vlan(struct walk *walk);
int interface_set_trunk(struct walk *walk, const char *text);
int interface_begin_tag(struct walk *walk);
int interface_set_tag(struct walk *walk, const char *text);
int interface_set_native(struct walk *walk, const char *text);
int interface_set_filter(struct walk *walk, const char *text);
int interface_begin_parameter(struct walk *walk);
int interface_set_parameter(struct walk *walk, const char *text);
int interface_set_address(struct walk *walk, const char *text);
int domain_set_dma_limit(struct walk *walk, const char *text);
int lives_begin_watchdog(struct walk *walk);
int lives_set_watchdog(struct walk *walk, const char *text);
int lives_begin_restart(struct walk *walk);
int lives_set_budget(struct walk *walk, const char *text);
int lives_set_per(struct walk *walk, const char *text);
int lives_set_backoff(struct walk *walk, const char *text);
int bridge_begin(struct walk *walk);
int bridge_set_name(struct walk *walk, const char *text);
int bridge_set_nic(struct walk *walk, const char *text);

int host_begin_domain(struct walk *walk);
int host_set_file(struct walk *walk, const char *text);
int host_set_autostart(struct walk *walk, const char *text);
int host_begin_iommu(struct walk *walk);
int host_set_required(struct walk *walk, const char *text);
int host_begin_faults(struct walk *walk);
int host_set_allowed(struct walk *walk, const char *text);

#endif
