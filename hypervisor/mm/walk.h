/* From a guest's linear address to its guest-physical one, by the guest's own page tables. */
#pragma once

#include "mm/p2m.h"
#include "vcpu/vcpu.h"

/*
 * As the guest's supervisor would, setting accessed and dirty bits. The caller
 * reads the p2m in slot 0; the first quick window is used. -XEN_EFAULT; 1: the
 * page may be written and is dirty already, 0: it was not asked to be.
 */
MUST_USE int walk(const struct p2m *p2m, const struct vcpu_mode *mode, uint64_t address, bool write,
                  uint64_t *gpa);
