/*
 * Gates. Every one runs on a stack of its own (IST): the C library is compiled
 * with a red zone below its stack pointer that nothing may touch.
 */

#include "layout.h"

    .altmacro
    .text

/* Exceptions: an even frame for all, then C, which does not come back. */
    .macro exception n
    .balign 16
    .if !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
    pushq $0
    .endif
    pushq $\n
    jmp exception_common
    .endm

    .balign 16
    .globl trap_exceptions
trap_exceptions:
    .set n, 0
    .rept 32
    exception %n
    .set n, n + 1
    .endr

exception_common:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    cld
    andq $-16, %rsp
    call trap_fatal
    ud2

    .section .note.GNU-stack, "", @progbits
