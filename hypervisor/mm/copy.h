/*
 * Copies between the core and a guest, through short-lived windows. By linear
 * address: walks the guest's own page tables as its supervisor would, sets
 * accessed and dirty bits. All return 0 or -XEN_EFAULT; a copy that fails in the
 * middle has done what came before.
 */
#pragma once

#include <stddef.h>

#include <abi/addr.h>

#include <arch/cpu.h>

#include "util/check.h"

struct vcpu;
struct domain;

/* Before the guest runs: its page tables may change now. */
static inline void copy_forget(void)
{
    cpu_this()->known.vcpu = NULL;
}

MUST_USE int copy_from_guest(struct vcpu *v, void *dst, gla_t src, size_t len);
MUST_USE int copy_to_guest(struct vcpu *v, gla_t dst, const void *src, size_t len);

/* Up to len instruction bytes; returns how many could be read (stops at a page that is not there).
 */
size_t copy_instruction(struct vcpu *v, void *dst, gla_t rip, size_t len);

/* By guest-physical address. */
MUST_USE int copy_from_gpa(struct domain *d, void *dst, gpa_t src, size_t len);
MUST_USE int copy_to_gpa(struct domain *d, gpa_t dst, const void *src, size_t len);

/* Between one domain's linear and another's physical memory, page by page, no buffer between. */
MUST_USE int copy_across(struct vcpu *v, gla_t linear, struct domain *d, gpa_t gpa, size_t len,
                         bool from_gpa);

/*
 * Where a linear address of the guest lies. write: the page must be writable.
 * -XEN_EFAULT if the guest's tables do not map it so.
 */
MUST_USE int copy_translate(struct vcpu *v, gla_t address, bool write, gpa_t *gpa);
