/*
 * Moves: ports come and go, change and send. N is a seat, a small number.
 *
 *   + N C V F   a port appears at a seat, or changes: C, V, F say how
 *   - N         it goes
 *   f N K T L   it sends a frame of kind K to address T, of a length from L; K may be a tagged one
 *   b N L ...   it sends these L bytes
 *   a N A       the seat's abilities change
 *   u N         its link goes up or down
 *   h N         it keeps what it gets, or no longer     e N  it lets go of what it kept
 *   m N R       it has room for R frames
 *   t M         M ms pass, and the switch does what is due
 *   x           the switch is flushed                   X R  the next R copies fail
 *
 * Frames carry who sent them and to whom they may go by rules written down
 * here once more: whoever gets one must be among those.
 */
#include "switch.h"

#include "rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *at, *end;
static bool unsure; /* bytes were sent that carry nothing */
static unsigned sent[RIG_SEATS];

static uint8_t next(void)
{
    return at < end ? *at++ : 0;
}

static struct rig_seat *next_seat(void)
{
    return &rig.seats[next() % RIG_SEATS];
}

/* ---- who may get what ------------------------------------------------------------------------ */

static const char *const vlans[] = {"", "5", "6", "trunk 5,6", "trunk 5 native 6", "trunk 6"};
/* Per row of vlans: bit 0 says that an untagged frame is of VLAN 0, then 5 and 6; the same for
 * tags. */
static const uint8_t untagged_in[] = {0, 5, 6, 255, 6, 255};
static const bool tag5[] = {false, false, false, true, true, false};
static const bool tag6[] = {false, false, false, true, false, true};
static uint8_t vlan_of[RIG_SEATS];

static bool is_member(unsigned n, unsigned vid)
{
    unsigned row = vlan_of[n];

    if (rig.seats[n].port.config.uplink && row == 0)
        return true;
    return untagged_in[row] == vid || (vid == 5 && tag5[row]) || (vid == 6 && tag6[row]);
}

/* Seats that may get a frame of a seat, in a VLAN, by bit. */
static uint8_t may_get(unsigned from, unsigned vid)
{
    uint8_t mask = 0;

    for (unsigned n = 0; n < RIG_SEATS; n++) {
        const struct rig_seat *s = &rig.seats[n];
        bool apart = s->added && s->port.config.isolated && rig.seats[from].port.config.isolated;

        if (s->added && n != from && is_member(n, vid) && !apart)
            mask |= (uint8_t)(1u << n);
    }
    return mask;
}

/* Where a frame carries its mark: in the ports of UDP and TCP, or behind the type. */
static const uint8_t *mark_of(const struct rig_frame *f)
{
    if (switch_get16(f->bytes + 12) == FRAME_TYPE_IP4)
        return f->bytes + 34;
    return f->bytes + (switch_get16(f->bytes + 12) == FRAME_TYPE_IP6 ? 54 : 14);
}

static void look(void)
{
    unsigned held = 0;

    for (unsigned n = 0; n < RIG_SEATS; n++) {
        struct rig_seat *s = &rig.seats[n];
        const uint64_t *drops = s->net.counters.in_drops;
        uint64_t all = s->net.counters.in_packets;

        for (unsigned i = 0; i < s->got_count && !unsure; i++) {
            const uint8_t *mark = mark_of(&s->got[i]);

            rig_must(mark[0] != n && mark[0] < RIG_SEATS && (mark[1] >> n & 1));
        }
        rig_forget(s);
        held += s->held_count;
        for (unsigned i = 0; i < NET_DROPS; i++)
            all += drops[i];
        rig_must(!s->added || all == sent[n]);
    }
    /* Of the senders' packets nobody holds any but drivers. */
    rig_must(rig.live <= held);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void put_ip4(const uint8_t *mark, uint32_t payload, bool tcp, unsigned from)
{
    uint8_t *ip = rig_put("\x45\0\0\0\0\0\x40\0\x40\0\0\0\x0a\0\0\0\x0a\0\0\7", 20);

    ip[9] = tcp ? FRAME_TCP : FRAME_UDP;
    ip[15] = (uint8_t)from;
    switch_put16(ip + 2, (tcp ? 40 : 28) + payload);
    (void)rig_put(mark, 2);
    if (tcp)
        (void)rig_put("\0\1\0\0\0\0\0\0\0\0\x50\x10\0\0\0\0\0\0", 18);
    else
        switch_put16(rig_put("\0\1\0\0\0\0", 6) + 2, 8 + payload);
    (void)rig_put(NULL, payload);
}

static void put_ip6(const uint8_t *mark, uint32_t payload, unsigned from)
{
    uint8_t *ip = rig_put("\x60\0\0\0\0\0\6\x40", 8);

    switch_put16(ip + 4, 20 + payload);
    (void)rig_put("\xfe\x80\0\0\0\0\0\0\x50\x54\0\xff\xfe\0\0", 15);
    (void)rig_put(&(uint8_t){(uint8_t)from}, 1);
    (void)rig_put("\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    (void)rig_put(mark, 2);
    (void)rig_put("\0\1\0\0\0\0\0\0\0\0\x50\x10\0\0\0\0\0\0", 18);
    (void)rig_put(NULL, payload);
}

static void put_text(unsigned from, uint8_t kind, uint8_t to, uint32_t payload)
{
    static const uint16_t types[] = {0x88b5, FRAME_TYPE_IP4, FRAME_TYPE_IP4, FRAME_TYPE_IP6};
    unsigned tag = (kind >> 4) % 4u;
    unsigned vid = tag == 0 ? untagged_in[vlan_of[from]] : 3 + tag; /* 4 is nobody's */
    uint8_t mark[2] = {(uint8_t)from, may_get(from, vid)};
    uint64_t mac = to & 16 ? RIG_ALL : to & 32 ? UINT64_C(0x333300000001) : rig_mac(to % 8);

    rig_ethernet(mac, rig_mac(kind & 8 ? from + 3 : from), tag ? FRAME_TYPE_TAG : types[kind % 4]);
    if (tag) {
        switch_put16(rig_put(NULL, 2), vid);
        switch_put16(rig_put(NULL, 2), types[kind % 4]);
    }
    switch (kind % 4) {
    case 0:
        (void)rig_put(mark, 2);
        (void)rig_put(NULL, payload);
        break;
    case 1:
    case 2: put_ip4(mark, payload, kind % 4 == 2, from); break;
    default: put_ip6(mark, payload, from); break;
    }
}

static void send_text(struct rig_seat *from, uint8_t kind, uint8_t more)
{
    struct net_packet *p = rig_packet(from, 3700);

    p->checksum = kind & 4 ? NET_CHECKSUM_BLANK : NET_CHECKSUM_UNKNOWN;
    if (kind % 4 >= 2 && (kind & 4)) {
        p->gso = kind % 4 == 2 ? NET_GSO_TCP4 : NET_GSO_TCP6;
        p->gso_size = (uint16_t)(more * 8u);
    }
    sent[from - rig.seats]++;
    rig_input(from, p);
}

static void send_frame(struct rig_seat *from)
{
    uint8_t kind = next(), to = next(), len = next();
    uint32_t payload = len < 128 ? len : len * 250u;

    if (!from->added)
        return;
    put_text((unsigned)(from - rig.seats), kind, to, payload);
    send_text(from, kind, to | 6);
}

static void send_bytes(struct rig_seat *from)
{
    uint8_t beside = next(), len = next();

    if (!from->added)
        return;
    unsure = true;
    rig_text.len = 0;
    for (unsigned i = 0; i < len; i++)
        (void)rig_put(&(uint8_t){next()}, 1);
    send_text(from, beside, next());
}

/* ---- ports ----------------------------------------------------------------------------------- */

static void set_port(struct rig_seat *s)
{
    unsigned n = (unsigned)(s - rig.seats);
    uint8_t how = next(), vlan = next() % 6, filters = next();
    struct switch_port_config config = {.mac = RIG_MAC(filters & 8 ? 0 : n),
                                        .uplink = how & 1,
                                        .isolated = how & 2,
                                        .filters = filters & SWITCH_CLEAN_TRAFFIC};

    if (how & 4)
        config.rate_in = (struct switch_rate){100, 200, 30};
    if (how & 8)
        config.rate_out = (struct switch_rate){.average = 500};
    if (how & 16)
        config.storm = 10;
    if (filters & 16)
        rig_must(switch_config_ip(&config, "10.0.0.1 10.0.0.2 fe80::1") == 0);
    if (vlan)
        rig_must(switch_config_vlan(&config, vlans[vlan]) == 0);
    vlan_of[n] = vlan;
    if (s->added) {
        switch_change(&s->port, &config, rig.now);
        return;
    }
    sent[n] = 0;
    (void)rig_add(n, &config);
    s->net.abilities.mtu = 9000;
}

static void set_abilities(struct rig_seat *s, uint8_t how)
{
    s->net.abilities = (struct net_abilities){.checksum4 = how & 1,
                                              .checksum6 = how & 2,
                                              .gso4 = how & 4,
                                              .gso6 = how & 8,
                                              .scatter = how & 16,
                                              .mtu = how & 32 ? 9000 : 1500};
}

static void set_link(struct rig_seat *s)
{
    if (!s->added)
        return;
    s->net.up = !s->net.up;
    if (!s->net.up)
        switch_link_down(&s->port);
}

static void pass(uint8_t ms)
{
    rig.now += ms * RIG_MS;
    (void)switch_tick(&rig.bridge, rig.now);
}

static void move(uint8_t letter)
{
    struct rig_seat *s;

    switch (letter) {
    case 't': pass(next()); return;
    case 'x': rig_flush(); return;
    case 'X': rig.fail_parts = next(); return;
    default: break;
    }
    s = next_seat();
    switch (letter) {
    case '+': set_port(s); break;
    case '-':
        if (s->added)
            rig_remove(s);
        break;
    case 'f': send_frame(s); break;
    case 'b': send_bytes(s); break;
    case 'a': set_abilities(s, next()); break;
    case 'u': set_link(s); break;
    case 'h': s->keeps = !s->keeps; break;
    case 'e': rig_release(s); break;
    case 'm': s->room = next(); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
    unsure = false;
    rig_start_pages(RIG_FEW);
    memset(vlan_of, 0, sizeof(vlan_of));
    for (unsigned frames = 0; at < end && frames < 100; frames++) {
        move(next());
        if (frames % 8 == 7) {
            rig_flush();
            look();
        }
    }
    rig_flush();
    look();
    rig_stop();
    return 0;
}
