/* The fixed interrupt vectors; devices get those from VECTOR_FIRST to VECTOR_LAST. */
#pragma once

#define VECTOR_FIRST    0x30u
#define VECTOR_LAST     0xefu
#define VECTOR_TIMER    0xf0u
#define VECTOR_KICK     0xf1u
#define VECTOR_SPURIOUS 0xffu
