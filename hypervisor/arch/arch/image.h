/* Where the core's image lies: constants for C, assembly and the linker script. */
#pragma once

#define IMAGE_LOAD 0x200000
#define IMAGE_VIRT 0xffffffff80000000

#ifndef __ASSEMBLER__
/* Borders of the sections, made by the linker script; all page-aligned. */
extern char image_text[], image_rodata[], image_data[], image_end[];
#endif
