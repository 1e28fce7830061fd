/*
 * The C library's SYSCALL lands here, in the same ring: leave its stack (it has
 * a red zone), call C, and jump back with the flags as they were. One stack is
 * enough, for there is one vCPU and the C half never makes a system call.
 */
    .text
    .globl floor_entry
floor_entry:
    movq %rsp, floor_sp(%rip)
    leaq floor_stack_top(%rip), %rsp
    cld
    pushq %rcx
    pushq %r11
    pushq %r9                   /* from here down: the array of arguments */
    pushq %r8
    pushq %r10
    pushq %rdx
    pushq %rsi
    pushq %rdi
    movq %rax, %rdi
    movq %rsp, %rsi
    call floor_call
    popq %rdi
    popq %rsi
    popq %rdx
    popq %r10
    popq %r8
    popq %r9
    popfq
    popq %rcx
    movq floor_sp(%rip), %rsp
    jmp *%rcx

    .bss
    .balign 8
    .globl floor_sp
floor_sp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
