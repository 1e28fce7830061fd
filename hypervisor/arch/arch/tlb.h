/* Shoot-down of nested translations: a page is free only when no CPU can reach it. */
#pragma once

struct p2m;

/*
 * After entries of a p2m were removed or made stricter: returns when no CPU
 * and no IOMMU holds a translation made from the old ones. Cheap when the domain runs
 * nowhere (it flushes at its next entry).
 */
void tlb_flush_p2m(struct p2m *p2m);
