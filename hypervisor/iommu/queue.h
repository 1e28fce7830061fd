/* The ring of commands that a unit of either vendor executes in order. The lock is iommu.c's. */
#pragma once

#include "mm/heap.h"

#define QUEUE_LEN 256u /* commands of 16 bytes: a page */

struct iommu_queue {
    uint64_t *commands;
    volatile uint64_t *answer;    /* where the unit writes what it was asked to */
    volatile uint8_t *tail_place; /* its register */
    unsigned tail;
    uint32_t asked;
};

void queue_put(struct iommu_queue *q, uint64_t low, uint64_t high);

/*
 * The last command, by which the unit writes q->asked to the answer's place:
 * returns when it has. One that never does leaves nothing to rely on.
 */
void queue_finish(struct iommu_queue *q, uint64_t low, uint64_t high);
