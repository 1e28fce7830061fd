/*
 * Grants under random moves: three domains lend, map, copy, unmap and lose
 * pages, driven by bytes; a model says after each move what must hold. One
 * program for the unit test (bytes from a seed) and the fuzz target.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void grant_moves(const uint8_t *bytes, size_t len);
