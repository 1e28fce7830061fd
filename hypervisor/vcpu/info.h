/* The guest's vcpu_info, wherever it registered it, and other areas that the core updates. */
#pragma once

#include "vcpu/vcpu.h"

/* The vCPU's vcpu_info: in shared info, or in a window on the page it registered. */
struct vcpu_info *info_map(struct vcpu *v);
void info_unmap(const struct vcpu *v);

/*
 * Moves vcpu_info to a page of the guest, once (Xen allows no second move).
 * -XEN_EINVAL: done already, crosses the page, or no RAM of its own there.
 */
MUST_USE int info_register(struct vcpu *v, gfn_t gfn, uint32_t offset);

/* Writes the PV clock into vcpu_info and the time area. */
void info_update_time(struct vcpu *v);

/* Gives up vcpu_info, runstate and time areas: the vCPU does not run any more. */
void info_release(struct vcpu *v);

/* Resolves a linear address range (at most a page long) to frames, and holds them. */
MUST_USE int area_register(struct vcpu *v, struct area *area, gla_t address, size_t len);
bool area_is_set(const struct area *area);
void area_write(const struct area *area, size_t at, const void *src, size_t len);
