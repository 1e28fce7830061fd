/* Model-specific registers of a guest: one table of what may be read and written. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

void msr_reset(struct vcpu *v);

/* false: the access raises #GP. */
bool msr_emulate_read(struct vcpu *v, uint32_t index, uint64_t *value);
bool msr_emulate_write(struct vcpu *v, uint32_t index, uint64_t value);
