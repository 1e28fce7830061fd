/*
 * Vector registers of guests. The core uses none itself, so they change hands
 * only when another vCPU gets the CPU.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/check.h"

/* Finds what XSAVE can hold on this CPU; -XEN_ENODEV if there is none. */
MUST_USE int fpu_cpu_enable(void);

/* Bytes of an area that holds every register this CPU can be made to have. */
size_t fpu_area_len(void);

/* The state after reset: what a zeroed area means but for MXCSR and FCW. */
void fpu_area_reset(void *area);

/*
 * Loads a guest's registers and leaves its XCR0 and TSC_AUX in force; takes them
 * out again. XCR0 is read from the CPU and never from a copy: emulators ignore
 * the intercept of XSETBV, so a guest may have changed it unseen.
 */
void fpu_load(const void *area, uint64_t xcr0, uint64_t tsc_aux);
uint64_t fpu_save(void *area, uint64_t *tsc_aux);
