/* The guest-physical address space that every domain sees. */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

/*
 * RAM starts at 0 and is contiguous, the legacy hole included; what does not
 * fit below LAYOUT_LOW_END continues at LAYOUT_HIGH_RAM.
 */
#define LAYOUT_LOW_END  0x80000000ull
#define LAYOUT_HIGH_RAM 0x100000000ull

/* Where the control domain finds the bundle: whole frames, after its RAM. */
#define LAYOUT_BUNDLE 0x40000000ull

/* 32-bit PCI memory window, then the virtual ECAM (MCFG): 256 buses of 1 MiB. */
#define LAYOUT_BAR_BASE  0xc0000000ull
#define LAYOUT_BAR_END   0xe0000000ull
#define LAYOUT_ECAM_BASE 0xe0000000ull
#define LAYOUT_ECAM_END  0xf0000000ull

/* ACPI tables, reported as such in the memory map. */
#define LAYOUT_ACPI_BASE 0xfc000000ull
#define LAYOUT_ACPI_SIZE 0x10000ull

/* Local APIC page; then pages shared with services, reserved in the memory map. */
#define LAYOUT_LAPIC_BASE   0xfee00000ull
#define LAYOUT_SPECIAL_BASE 0xfeff8000ull
#define LAYOUT_SPECIAL_SIZE 0x8000ull
#define LAYOUT_STORE_PAGE   0xfeffc000ull
#define LAYOUT_CONSOLE_PAGE 0xfeffd000ull

/* Among them, in images of ours: what a domain leaves to its next life. */
#define LAYOUT_SURVIVOR_BASE 0xfeff8000ull
#define LAYOUT_SURVIVOR_SIZE 0x4000ull

/*
 * A flag of a segment of theirs (ELF's PF_MASKOS): nothing is read there before it is
 * written, as on a stack, and a next life finds what the last one left.
 */
#define LAYOUT_IMAGE_SCRATCH 0x00100000

/* And what the control domain is told of it: <abi/life.h>. */
#define LAYOUT_LIFE_PAGE 0xfeffe000ull

/* The same for the one that has more to leave, the store: two halves of 4.5 MiB. */
#define LAYOUT_LARGE_SURVIVOR_BASE 0xf0000000ull
#define LAYOUT_LARGE_SURVIVOR_SIZE 0x901000ull

#endif
