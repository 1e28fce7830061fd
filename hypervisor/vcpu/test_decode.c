/* The decoder of plain moves: forms that Linux and our domains use, lengths, what is refused. */
#include "vcpu/mmio.h"

#include <string.h>

#include "check.h"

struct expected {
    const char *bytes; /* then filled up with 0xcc */
    uint8_t len;
    enum mmio_mode mode;
    struct mmio_access access;
};

static const struct expected forms[] = {
    /* mov %eax, 0xb0(%rip) and back */
    {"\x89\x05\xb0\x00\x00\x00", 6, MMIO_CODE64, {6, 4, 4, 0, .write = true}},
    {"\x8b\x05\xb0\x00\x00\x00", 6, MMIO_CODE64, {6, 4, 4, 0, .write = false}},
    /* mov (%rdi), %r9d */
    {"\x44\x8b\x0f", 3, MMIO_CODE64, {3, 4, 4, 9, .write = false}},
    /* mov %rax, 8(%rsp,%rbx,2) */
    {"\x48\x89\x44\x5c\x08", 5, MMIO_CODE64, {5, 8, 8, 0, .write = true}},
    /* mov %ax, (%rdx); movb (%rdx), %ah; movb %sil, (%rdx) */
    {"\x66\x89\x02", 3, MMIO_CODE64, {3, 2, 2, 0, .write = true}},
    {"\x8a\x22", 2, MMIO_CODE64, {2, 1, 1, 16, .write = false}},
    {"\x40\x88\x32", 3, MMIO_CODE64, {3, 1, 1, 6, .write = true}},
    /* movl $1, 0x10(%rax); movq $-1, (%rax); movw $0x1234, (%rax); movb $7, (%rax) */
    {"\xc7\x40\x10\x01\x00\x00\x00",
     7,
     MMIO_CODE64,
     {7, 4, 4, 0, .write = true, .immediate = true, .value = 1}},
    {"\x48\xc7\x00\xff\xff\xff\xff",
     7,
     MMIO_CODE64,
     {7, 8, 8, 0, .write = true, .immediate = true, .value = UINT64_MAX}},
    {"\x66\xc7\x00\x34\x12",
     5,
     MMIO_CODE64,
     {5, 2, 2, 0, .write = true, .immediate = true, .value = 0x1234}},
    {"\xc6\x00\x07", 3, MMIO_CODE64, {3, 1, 1, 0, .write = true, .immediate = true, .value = 7}},
    /* movzbl (%rcx), %eax; movzwq (%rcx), %r10; movsbl (%rcx), %eax; movslq (%rcx), %rax */
    {"\x0f\xb6\x01", 3, MMIO_CODE64, {3, 1, 4, 0, .write = false}},
    {"\x4c\x0f\xb7\x11", 4, MMIO_CODE64, {4, 2, 8, 10, .write = false}},
    {"\x0f\xbe\x01", 3, MMIO_CODE64, {3, 1, 4, 0, .is_signed = true}},
    {"\x48\x63\x01", 3, MMIO_CODE64, {3, 4, 8, 0, .is_signed = true}},
    /* xchg %eax, 0xb0(%rdi): the local APIC's writes on old processors */
    {"\x87\x87\xb0\x00\x00\x00", 6, MMIO_CODE64, {6, 4, 4, 0, .write = true, .exchange = true}},
    {"\xf0\x87\x07", 3, MMIO_CODE64, {3, 4, 4, 0, .write = true, .exchange = true}},
    /* movabs %eax, addr; the same in 32-bit code */
    {"\xa3\x00\x00\xe0\xfe\x00\x00\x00\x00", 9, MMIO_CODE64, {9, 4, 4, 0, .write = true}},
    {"\xa1\x20\x00\xe0\xfe", 5, MMIO_CODE32, {5, 4, 4, 0, .write = false}},
    /* mov 0xfee00020, %ebx; 16-bit code: mov (%bx+%si+4), %ax; mov %eax, (0x1234) */
    {"\x8b\x1d\x20\x00\xe0\xfe", 6, MMIO_CODE32, {6, 4, 4, 3, .write = false}},
    {"\x8b\x40\x04", 3, MMIO_CODE16, {3, 2, 2, 0, .write = false}},
    {"\x66\x89\x06\x34\x12", 5, MMIO_CODE16, {5, 4, 4, 0, .write = true}},
    /* a segment prefix, and a REX that another prefix takes away */
    {"\x65\x8b\x04\x25\x00\x00\x00\x00", 8, MMIO_CODE64, {8, 4, 4, 0, .write = false}},
    {"\x48\x66\x89\x02", 4, MMIO_CODE64, {4, 2, 2, 0, .write = true}},
};

static bool decode(const char *bytes, size_t len, enum mmio_mode mode, struct mmio_access *a)
{
    uint8_t padded[MMIO_MAX_LENGTH];

    memset(padded, 0xcc, sizeof(padded));
    memcpy(padded, bytes, len);
    return mmio_decode(padded, sizeof(padded), mode, a);
}

TEST(every_form_that_guests_use)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct expected *e = &forms[i];
        struct mmio_access a;

        EXPECT(decode(e->bytes, e->len, e->mode, &a));
        EXPECT(a.length == e->access.length && a.size == e->access.size);
        EXPECT(a.width == e->access.width && a.reg == e->access.reg);
        EXPECT(a.write == e->access.write && a.exchange == e->access.exchange);
        EXPECT(a.is_signed == e->access.is_signed && a.immediate == e->access.immediate);
        EXPECT(a.value == e->access.value);
    }
}

TEST(an_instruction_that_is_cut_off_is_refused)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        for (size_t len = 0; len < forms[i].len; len++) {
            struct mmio_access a;

            EXPECT(!mmio_decode((const uint8_t *)forms[i].bytes, len, forms[i].mode, &a));
        }
}

TEST(other_instructions_are_refused)
{
    static const char *const refused[] = {
        "\x01\x02",             /* add %eax, (%rdx) */
        "\x89\xc2",             /* mov %eax, %edx: no memory */
        "\xc7\x48\x10\x01\x00", /* group 11, reg field 1 */
        "\xf0\x89\x02",         /* lock mov */
        "\xa5",                 /* movs */
        "\x0f\xb1\x0a",         /* cmpxchg */
        "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66", /* only prefixes */
    };
    struct mmio_access a;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        EXPECT(!decode(refused[i], strlen(refused[i]), MMIO_CODE64, &a));
    EXPECT(!decode("\x63\x01", 2, MMIO_CODE32, &a)); /* ARPL there */
    EXPECT(!decode("\x66\x63\x01", 3, MMIO_CODE64, &a));
}
