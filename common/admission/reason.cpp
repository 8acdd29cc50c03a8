// docs/protocol/ticket-v1.md, section 7, holds the same table; a test compares them.
#include "common/admission/reason.hpp"

#include <cstdlib>

namespace pf::admission {
namespace {

constexpr std::array table = std::to_array<Words>({
    {Reason::ok, "ok", "请进", "Welcome", "请通过。", "Please walk through.", Light::green,
     Sound::chime},
    {Reason::ok_group_part, "ok_group_part", "请进，还可再进", "Welcome, more may follow",
     "余下的人次凭同一张票再进。", "Scan the same code again for the rest.", Light::green,
     Sound::chime},
    {Reason::unknown_code, "unknown_code", "暂时查不到这张票", "We can't find this ticket yet",
     "刚买的票请过一分钟再扫，还不行请找工作人员。",
     "Just bought? Scan again in a minute, or ask staff.", Light::yellow, Sound::attention},
    {Reason::code_oversize, "code_oversize", "这个码太长，不是门票",
     "This code is too long for a ticket", "请出示短信或订单里的二维码。",
     "Show the code from your message or order.", Light::red, Sound::buzz},
    {Reason::code_not_base45, "code_not_base45", "没读清，请再扫一次",
     "Not read clearly, please scan again", "把屏幕调亮、放平，再扫一次。",
     "Brighten the screen, hold it flat, scan again.", Light::red, Sound::buzz},
    {Reason::code_truncated, "code_truncated", "只读到一部分，请再扫一次",
     "Only part was read, please scan again", "让整个二维码进入扫描框。",
     "Hold the whole code in view.", Light::red, Sound::buzz},
    {Reason::code_trailing_bytes, "code_trailing_bytes", "两次读到一起了，请再扫一次",
     "Two readings ran together, please scan again", "移开手机，再扫一次。",
     "Take the phone away, then scan again.", Light::red, Sound::buzz},
    {Reason::code_duplicate_key, "code_duplicate_key", "票码内容重复，不能用",
     "This code says things twice and can't be used", "请到售票窗口重新出票。",
     "Ask the counter to issue it again.", Light::red, Sound::buzz},
    {Reason::code_not_canonical, "code_not_canonical", "票码格式不对，不能用",
     "This code is written wrongly and can't be used", "请到售票窗口重新出票。",
     "Ask the counter to issue it again.", Light::red, Sound::buzz},
    {Reason::code_unknown_header, "code_unknown_header", "本机不认识这种票码",
     "This gate does not know this kind of code", "请找工作人员，本机可能要更新。",
     "Please ask staff; this gate may need an update.", Light::red, Sound::buzz},
    {Reason::code_bad_claims, "code_bad_claims", "票码内容有误，不能用",
     "This code's content is wrong and can't be used", "请到售票窗口重新出票。",
     "Ask the counter to issue it again.", Light::red, Sound::buzz},
    {Reason::key_unknown, "key_unknown", "本机暂时验不了这张票",
     "This gate can't check this ticket yet", "请稍等再扫，或找工作人员。",
     "Wait a moment and scan again, or ask staff.", Light::yellow, Sound::attention},
    {Reason::bad_signature, "bad_signature", "票码验证不通过", "This code was not signed by us",
     "请出示原来的二维码，或到售票窗口。", "Show the original code, or go to the counter.",
     Light::red, Sound::buzz},
    {Reason::holder_mismatch, "holder_mismatch", "证件与票不符",
     "The document does not match the ticket", "请出示购票时用的证件。",
     "Show the document the ticket was bought with.", Light::red, Sound::buzz},
    {Reason::revoked, "revoked", "这张票已退或已取消", "This ticket was refunded or cancelled",
     "如有疑问，请带订单到售票窗口。", "Please take your order to the counter.", Light::red,
     Sound::buzz},
    {Reason::superseded, "superseded", "这是旧码，请出示新码",
     "This is an old code, please show the new one", "打开最新的短信或订单，扫里面的码。",
     "Open the latest message or order and scan its code.", Light::red, Sound::buzz},
    {Reason::wrong_site, "wrong_site", "这张票是别的景区的", "This ticket is for another site",
     "请看票上的景区名称，或问工作人员。", "Check the site named on the ticket, or ask staff.",
     Light::red, Sound::buzz},
    {Reason::wrong_point, "wrong_point", "请走另一个入口", "Please use another entrance",
     "这张票不在这里检，工作人员会指路。", "It is not checked here; staff will show the way.",
     Light::red, Sound::buzz},
    {Reason::expired, "expired", "这张票已过期", "This ticket has expired", "请到售票窗口咨询。",
     "Please ask at the counter.", Light::red, Sound::buzz},
    {Reason::not_yet_valid, "not_yet_valid", "这张票还没到日期", "This ticket is for a later day",
     "请在票上的日期再来，或到窗口改签。", "Come on its day, or change it at the counter.",
     Light::red, Sound::buzz},
    {Reason::outside_window, "outside_window", "现在不是这张票的时段",
     "This ticket is for another hour", "请在票上的时段入园。",
     "Please come in the hours on the ticket.", Light::red, Sound::buzz},
    {Reason::already_used, "already_used", "这张票已经用过了", "This ticket has already been used",
     "工作人员能看到何时在哪里用过。", "Staff can see when and where it was used.", Light::red,
     Sound::buzz},
    {Reason::return_pending, "return_pending", "这张票正在另一个通道通行",
     "This ticket is being used at another lane", "那里没有人通过的话，过一分钟再扫。",
     "If nobody goes through there, scan again in a minute.", Light::red, Sound::buzz},
    {Reason::outcome_unknown, "outcome_unknown", "刚才进了没有，请工作人员确认",
     "Did you pass before? Please let staff confirm", "工作人员：问明没有进，再放行。",
     "Staff: admit if they did not go in.", Light::yellow, Sound::attention},
    {Reason::too_many_persons, "too_many_persons", "人数超过票上剩余",
     "More people than this ticket has left", "按剩余人数入园，其余请补票。",
     "As many as are left may enter; others need a ticket.", Light::red, Sound::buzz},
    {Reason::product_not_here_yet, "product_not_here_yet", "本机还没收到这种票的资料",
     "This gate has not heard of this product yet", "不是您的问题，请工作人员核对。",
     "Not your fault: please let staff check.", Light::yellow, Sound::attention},
    {Reason::list_stale, "list_stale", "本机名单较旧，请工作人员确认",
     "Our list is old, please let staff confirm", "工作人员：看过订单再放行。",
     "Staff: look at the order, then confirm.", Light::yellow, Sound::attention},
    {Reason::clock_unsure, "clock_unsure", "本机时间不准，请工作人员确认",
     "Our clock is unsure, please let staff check", "工作人员：用手持机再验，或给本机校时。",
     "Staff: use a handheld, or set this clock.", Light::yellow, Sound::attention},
    {Reason::device_not_ready, "device_not_ready", "本通道还没准备好", "This lane is not ready yet",
     "请走旁边的通道。", "Please use the next lane.", Light::yellow, Sound::attention},
    {Reason::ambiguous, "ambiguous", "有几张票可用，请工作人员选择",
     "Several tickets fit, please let staff choose", "工作人员：在手持机上选一张。",
     "Staff: choose one on the handheld.", Light::yellow, Sound::attention},
    {Reason::show_certificate, "show_certificate", "请出示优惠证件",
     "Please show your concession proof", "工作人员：看过证件再放行。",
     "Staff: look at the proof, then confirm.", Light::yellow, Sound::attention},
    {Reason::storage_failed, "storage_failed", "本通道暂停使用", "This lane is out of service",
     "请走旁边的通道。工作人员：存储故障，请报修。",
     "Please use the next lane. Staff: storage failed.", Light::red, Sound::buzz},
    {Reason::lane_busy, "lane_busy", "请等前面的人通过", "Please wait for the person ahead",
     "通道空了再扫一次。", "Scan again when the lane is clear.", Light::yellow, Sound::attention},
    {Reason::lane_fault, "lane_fault", "通道故障，请走旁边",
     "This lane has a fault, please use the next", "工作人员：检查闸门和传感器。",
     "Staff: check the barrier and its sensors.", Light::red, Sound::buzz},
    {Reason::emergency, "emergency", "紧急情况，请从这里离开",
     "Emergency: please leave through here", "不要停留，听从工作人员指挥。",
     "Do not stop; follow the staff.", Light::green, Sound::attention},
});

/// Every reason stands here, so the compiler asks for a new one, and below for its words.
constexpr bool is_reason(Reason reason) {
    switch (reason) {
        case Reason::ok:
        case Reason::ok_group_part:
        case Reason::unknown_code:
        case Reason::code_oversize:
        case Reason::code_not_base45:
        case Reason::code_truncated:
        case Reason::code_trailing_bytes:
        case Reason::code_duplicate_key:
        case Reason::code_not_canonical:
        case Reason::code_unknown_header:
        case Reason::code_bad_claims:
        case Reason::key_unknown:
        case Reason::bad_signature:
        case Reason::holder_mismatch:
        case Reason::revoked:
        case Reason::superseded:
        case Reason::wrong_site:
        case Reason::wrong_point:
        case Reason::expired:
        case Reason::not_yet_valid:
        case Reason::outside_window:
        case Reason::already_used:
        case Reason::return_pending:
        case Reason::outcome_unknown:
        case Reason::too_many_persons:
        case Reason::product_not_here_yet:
        case Reason::list_stale:
        case Reason::clock_unsure:
        case Reason::device_not_ready:
        case Reason::ambiguous:
        case Reason::show_certificate:
        case Reason::storage_failed:
        case Reason::lane_busy:
        case Reason::lane_fault:
        case Reason::emergency:
            return true;
    }
    return false;
}

constexpr const Words* find(std::uint64_t number) {
    for (const Words& words : table) {
        if (static_cast<std::uint64_t>(words.reason) == number) return &words;
    }
    return nullptr;
}

constexpr bool every_reason_has_words() {
    for (unsigned number = 0; number <= UINT8_MAX; ++number) {
        if (is_reason(static_cast<Reason>(number)) != (find(number) != nullptr)) return false;
    }
    return true;
}
static_assert(every_reason_has_words());

// Concessions get a light of their own, so that staff look up only when there is a proof to see.
constexpr auto persons = std::to_array<PersonWords>({
    {ticket::PersonType::adult, "成人", "Adult", Light::green},
    {ticket::PersonType::child, "儿童", "Child", Light::blue},
    {ticket::PersonType::senior, "老人", "Senior", Light::yellow},
    {ticket::PersonType::student, "学生", "Student", Light::yellow},
    {ticket::PersonType::soldier, "军人", "Soldier", Light::yellow},
    {ticket::PersonType::disabled, "残疾人", "Disabled visitor", Light::yellow},
    {ticket::PersonType::guide, "导游", "Guide", Light::yellow},
    {ticket::PersonType::press, "记者", "Press", Light::yellow},
    {ticket::PersonType::free, "免票", "Free admission", Light::yellow},
});

}  // namespace

const Words& words(Reason reason) noexcept {
    if (const Words* found = find(static_cast<std::uint64_t>(reason))) return *found;
    std::abort();  // a value outside the enum: memory is corrupt
}

std::span<const Words> all_words() noexcept { return table; }

std::optional<Reason> reason_from(std::uint64_t number) noexcept {
    const Words* found = find(number);
    return found == nullptr ? std::nullopt : std::optional{found->reason};
}

// ticket-v1.md 6.12: what each fault is called at the gate.
Reason reason_of(ticket::Fault fault) noexcept {
    switch (fault) {
        case ticket::Fault::no_prefix:
            return Reason::unknown_code;
        case ticket::Fault::oversize:
            return Reason::code_oversize;
        case ticket::Fault::not_base45:
            return Reason::code_not_base45;
        case ticket::Fault::truncated:
            return Reason::code_truncated;
        case ticket::Fault::trailing_bytes:
            return Reason::code_trailing_bytes;
        case ticket::Fault::duplicate_key:
            return Reason::code_duplicate_key;
        case ticket::Fault::not_canonical:
            return Reason::code_not_canonical;
        case ticket::Fault::unknown_header:
            return Reason::code_unknown_header;
        case ticket::Fault::bad_claims:
            return Reason::code_bad_claims;
        case ticket::Fault::key_unknown:
            return Reason::key_unknown;
        case ticket::Fault::bad_signature:
            return Reason::bad_signature;
    }
    std::abort();
}

const PersonWords& words(ticket::PersonType type) noexcept {
    for (const PersonWords& found : persons) {
        if (found.type == type) return found;
    }
    std::abort();
}

}  // namespace pf::admission
