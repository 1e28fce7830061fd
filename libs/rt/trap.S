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

/*
 * cpu_sleep(): until an interrupt. STI holds interrupts back for one instruction,
 * so that none comes between it and HLT; but that shadow is lost when the host
 * interrupts the domain just there and its emulator forgets to restore it (QEMU
 * 7.2's VMRUN). So handlers step over a HLT that they find not yet executed.
 */
    .globl cpu_sleep
cpu_sleep:
    sti
cpu_sleep_halt:
    hlt
cpu_sleep_end:
    cli
    ret

    .macro leave_sleep rip
    cmpq $cpu_sleep_halt, \rip
    jne 9f
    movq $cpu_sleep_end, \rip
9:
    .endm

/*
 * Event channels: the interrupt stays asserted until this byte is 0. The ports
 * themselves are found by event.c, which sleeps in no other state than with
 * none pending.
 */
    .globl trap_event
trap_event:
    pushq %rax
    movq event_shared(%rip), %rax
    movb $0, (%rax)             /* vcpu_info[0].evtchn_upcall_pending */
    popq %rax
    leave_sleep (%rsp)
    iretq

/* A device's interrupt: mark it for event.c and say so to the local APIC. */
    .macro device n
    .balign 16
    pushq %rax
    movl $\n, %eax
    jmp device_common
    .endm

    .balign 16
    .globl trap_devices
trap_devices:
    .set n, 0
    .rept VECTOR_IRQ_COUNT
    device %n
    .set n, n + 1
    .endr

device_common:
    btsq %rax, irq_pending(%rip)
    leave_sleep 8(%rsp)
    movq irq_eoi(%rip), %rax
    testq %rax, %rax
    jz 1f
    movl $0, (%rax)             /* xAPIC page */
    popq %rax
    iretq
1:  pushq %rcx
    pushq %rdx
    movl $0x80b, %ecx           /* x2APIC EOI */
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    popq %rdx
    popq %rcx
    popq %rax

    .globl trap_spurious
trap_spurious:
    leave_sleep (%rsp)
    iretq

    .section .note.GNU-stack, "", @progbits
