#include "firmware/ctl/words.hpp"

#include <algorithm>

namespace pf::firmware::ctl {
namespace {

// clang-format off
constexpr Entry table[] = {
    {Set::event, "epoch_opened", "journal begun", "日志周期开始"},
    {Set::event, "booted", "started", "开机"},
    {Set::event, "clock_changed", "clock changed", "时钟变动"},
    {Set::event, "admitted", "admitted", "放行入园"},
    {Set::event, "refused", "refused", "拒绝"},
    {Set::event, "outcome", "outcome", "通行结果"},
    {Set::event, "lane_alarm", "lane alarm", "通道报警"},
    {Set::event, "list_applied", "list applied", "名单生效"},
    {Set::event, "command_done", "command ended", "指令完成"},
    {Set::event, "finding", "finding", "异常发现"},
    {Set::event, "opened", "opened by command", "指令开闸"},
    {Set::event, "let_in", "let in by command", "指令放行结果"},
    {Set::event, "unknown", "of newer firmware", "新版固件的事件"},
    {Set::event, "malformed", "unreadable", "无法读取"},

    {Set::event_field, "why", "why", "原因"},
    {Set::event_field, "parent", "after journal", "上一周期"},
    {Set::event_field, "parent_seq", "its last event", "上一周期末序号"},
    {Set::event_field, "firmware", "firmware", "固件"},
    {Set::event_field, "source", "set by", "校时来源"},
    {Set::event_field, "moved_ms", "moved by ms", "变动毫秒"},
    {Set::event_field, "ticket", "ticket", "票"},
    {Set::event_field, "generation", "generation", "版次"},
    {Set::event_field, "site", "site", "景区"},
    {Set::event_field, "product", "product", "产品"},
    {Set::event_field, "point", "point", "点位"},
    {Set::event_field, "day", "day", "日期"},
    {Set::event_field, "persons", "persons", "人数"},
    {Set::event_field, "person_type", "type", "人员类型"},
    {Set::event_field, "carrier", "shown as", "凭证载体"},
    {Set::event_field, "flags", "known only in part", "信息不全"},
    {Set::event_field, "reason", "because", "原因"},
    {Set::event_field, "staff_asked", "staff asked", "已问检票员"},
    {Set::event_field, "grant_seq", "of grant", "授予序号"},
    {Set::event_field, "opened_seq", "of opening", "开闸序号"},
    {Set::event_field, "passed", "passed", "通过"},
    {Set::event_field, "returned", "returned", "退回"},
    {Set::event_field, "how", "by", "结束方式"},
    {Set::event_field, "what", "what", "内容"},
    {Set::event_field, "scope", "list", "名单"},
    {Set::event_field, "version", "version", "版本"},
    {Set::event_field, "root", "digest", "摘要"},
    {Set::event_field, "id", "command", "指令号"},
    {Set::event_field, "kind", "kind", "种类"},
    {Set::event_field, "state", "state", "状态"},
    {Set::event_field, "command", "command", "指令号"},
    {Set::event_field, "code", "what", "种类"},
    {Set::event_field, "detail", "detail", "说明"},

    {Set::flag, "1", "offline", "离线"},
    {Set::flag, "2", "revocations stale", "作废名单陈旧"},
    {Set::flag, "4", "tickets stale", "票名单陈旧"},
    {Set::flag, "8", "clock unsure", "时钟不确定"},
    {Set::flag, "16", "staff confirmed", "检票员确认"},
    {Set::flag, "32", "agreed with part of the site", "只与部分设备核对"},

    {Set::carrier, "signed_qr", "QR ticket", "二维码票"},
    {Set::carrier, "code", "other seller's code", "第三方码"},
    {Set::carrier, "document", "ID document", "证件"},
    {Set::carrier, "card", "card", "卡"},

    {Set::passage, "complete", "everybody passed", "全部通过"},
    {Set::passage, "timeout", "the wait ended", "等待超时"},
    {Set::passage, "fault", "a fault", "设备故障"},
    {Set::passage, "unknown", "nobody knows", "不明"},
    {Set::passage, "staff_undo", "staff took it back", "检票员撤销"},
    {Set::passage, "emergency", "emergency", "应急"},

    {Set::alarm, "forced", "forced", "强行通过"},
    {Set::alarm, "tailgate", "tailgating", "尾随"},
    {Set::alarm, "wrong_way", "wrong way", "逆行"},
    {Set::alarm, "jammed", "jammed", "卡住"},
    {Set::alarm, "sensor_fault", "sensor fault", "传感器故障"},
    {Set::alarm, "cleared", "cleared", "已解除"},
    {Set::alarm, "fire", "fire release", "消防释放"},
    {Set::alarm, "fire_over", "fire release over", "消防释放结束"},

    {Set::epoch_begins, "1", "the first", "首个"},
    {Set::epoch_begins, "2", "the file was an old copy", "文件是旧副本"},
    {Set::epoch_begins, "3", "the file was damaged", "文件损坏"},

    {Set::clock_source, "1", "a step", "时钟跳变"},
    {Set::clock_source, "2", "the server", "服务器"},
    {Set::clock_source, "3", "NTP", "网络校时"},
    {Set::clock_source, "4", "staff", "人工"},

    {Set::clock, "unset", "unset", "未设置"},
    {Set::clock, "unsure", "unsure", "不确定"},
    {Set::clock, "unconfirmed", "not confirmed since start", "开机后未确认"},
    {Set::clock, "confirmed", "confirmed", "已确认"},

    {Set::list, "revoked", "revocations", "作废名单"},
    {Set::list, "tickets", "tickets", "票名单"},
    {Set::list, "1", "revocations", "作废名单"},
    {Set::list, "2", "tickets", "票名单"},

    {Set::stale, "admit", "admit", "放行"},
    {Set::stale, "ask", "ask staff", "询问检票员"},
    {Set::stale, "refuse", "refuse", "拒绝"},

    {Set::document, "key_ring", "keys", "密钥"},
    {Set::document, "product_table", "products", "产品表"},
    {Set::document, "configuration", "configuration", "配置"},
    {Set::document, "secrets", "secrets", "机密"},
    {Set::document, "other", "other", "其他"},

    {Set::device_state, "invited", "invited, not paired yet", "已登记，未配对"},
    {Set::device_state, "active", "paired", "已配对"},
    {Set::device_state, "revoked", "revoked", "已吊销"},

    {Set::device_kind, "gate", "gate", "闸机"},
    {Set::device_kind, "terminal", "terminal", "终端"},
    {Set::device_kind, "handheld", "handheld", "手持机"},

    {Set::command, "open", "open", "开闸"},
    {Set::command, "test_scan", "test scan", "试检"},
    {Set::command, "renew_certificate", "renew certificate", "换证书"},
    {Set::command, "resend", "resend", "重新上传"},
    {Set::command, "1", "open", "开闸"},
    {Set::command, "2", "test scan", "试检"},
    {Set::command, "3", "renew certificate", "换证书"},
    {Set::command, "4", "resend", "重新上传"},

    {Set::command_state, "received", "received", "已收到"},
    {Set::command_state, "accepted", "accepted", "已接受"},
    {Set::command_state, "refused", "refused", "被拒绝"},
    {Set::command_state, "done", "done", "已完成"},
    {Set::command_state, "failed", "failed", "失败"},
    {Set::command_state, "1", "received", "已收到"},
    {Set::command_state, "2", "accepted", "已接受"},
    {Set::command_state, "3", "refused", "被拒绝"},
    {Set::command_state, "4", "done", "已完成"},
    {Set::command_state, "5", "failed", "失败"},

    {Set::answer, "the journal could not be written", "its journal can't be written",
     "事件日志写不进去"},
    {Set::answer, "this device has no barrier", "this device has no barrier", "这台设备没有闸"},
    {Set::answer, "the lane is busy", "the lane is busy", "通道正忙"},
    {Set::answer, "renewal begins", "renewal begins", "开始换证书"},
    {Set::answer, "there is no such event", "there is no such event", "没有这个序号的事件"},
    {Set::answer, "unknown command", "unknown command", "不认识的指令"},
    {Set::answer, "expired", "expired", "已过期"},
    {Set::answer, "opened", "opened", "已开闸"},
    {Set::answer, "answered before a restart", "answered before a restart", "重启前已答复"},
    {Set::answer, "interrupted", "interrupted by a restart", "执行中断（设备重启）"},
    {Set::answer, "interrupted after the arm was opened", "interrupted after the arm was opened",
     "开闸后中断（设备重启）"},
    {Set::answer, "clock_unsure", "its clock is unsure", "设备时钟不确定"},

    {Set::ticket_state, "issued", "valid", "有效"},
    {Set::ticket_state, "revoked", "revoked", "已作废"},

    {Set::finding, "over_admission", "more entries than the ticket has", "超额放行"},
    {Set::finding, "admitted_revoked", "a revoked ticket was admitted", "放行了已作废的票"},
    {Set::finding, "fork", "one journal, two histories", "事件日志分叉"},
    {Set::finding, "quarantined", "kept aside, not booked", "已隔离，未入账"},
    {Set::finding, "clock_wrong", "a clock is wrong", "时钟有误"},
    {Set::finding, "forged", "not signed by its device", "不是该设备签名"},
    {Set::finding, "foreign_topic", "a message to a foreign place", "消息发错了地方"},
    {Set::finding, "revoked_device", "a revoked device spoke", "已吊销的设备仍在联系"},
    {Set::finding, "state_lost", "the server or a device forgot something", "服务器或设备丢失了记录"},
    {Set::finding, "reported", "reported by a device", "设备上报"},
    {Set::finding, "ticket_unknown", "admitted on a ticket not known here", "放行了这里没有的票"},
    {Set::finding, "loss_claimed", "a device claims again that the server forgot something",
     "设备再次声称服务器丢失了记录"},

    {Set::report, "command_refused", "a command was refused", "拒绝了指令"},
    {Set::report, "document_foreign", "a document for somebody else", "文件不是给本设备的"},
    {Set::report, "document_refused", "a document was refused", "拒绝了文件"},
    {Set::report, "events_lost", "events are gone", "有事件丢失"},
    {Set::report, "foreign_topic", "a message for somebody else", "消息不是给本设备的"},
    {Set::report, "journal_lost", "the journal was lost", "事件日志丢失"},
    {Set::report, "journal_rolled_back", "the journal was an old copy", "事件日志是旧副本"},
    {Set::report, "list_mismatch", "a list did not match", "名单核对不符"},
    {Set::report, "list_page_foreign", "a page of another list", "收到别的名单的页"},
    {Set::report, "manifest_refused", "a list's signature was refused", "名单签名不被接受"},
    {Set::report, "message_malformed", "a message could not be read", "消息无法解读"},
    {Set::report, "message_oversize", "a message was too large", "消息过大"},
    {Set::report, "server_forgot_more", "the server forgot more than is kept", "服务器忘记的比本机保留的更多"},
    {Set::report, "storage_unreadable", "its files could not be read", "本机文件无法读取"},

    {Set::import_result, "booked", "booked", "已入账"},
    {Set::import_result, "known", "known already", "早已入账"},
    {Set::import_result, "not_booked", "NOT booked", "未入账"},
    {Set::import_result, "device_unknown", "no such device", "没有这台设备"},

    {Set::flaw, "gap", "events are missing", "缺少事件"},
    {Set::flaw, "chain_broken", "the chain is broken", "哈希链断开"},
    {Set::flaw, "malformed", "not an event", "不是事件"},
    {Set::flaw, "columns_lie", "the file's index says something else", "索引列与事件不符"},
    {Set::flaw, "no_parent", "does not continue the journal before", "与上一周期接不上"},
    {Set::flaw, "bad_signature", "the signature is wrong", "签名不对"},
    {Set::flaw, "other_device", "of another device", "属于另一台设备"},

    {Set::signature, "valid", "every signature is its device's", "签名均由该设备签发"},
    {Set::signature, "bad", "WRONG signatures", "签名不对"},
    {Set::signature, "unchecked", "signatures not checked: no key at hand", "未核对签名：手上没有密钥"},
    {Set::signature, "key_certified",
     "its key is certified for it; events are signed when they are sent or exported",
     "密钥已由证书确认；事件在上传或导出时签名"},
    {Set::signature, "key_not_certified", "its key is NOT the certified one", "密钥与证书不符"},
    {Set::signature, "other_device", "its key is of another device", "密钥属于另一台设备"},
    {Set::signature, "certificate_not_issued_here",
     "its certificate is not of the authority beside it",
     "证书不是由旁边的证书机构签发"},

    {Set::scan_fault, "empty_size", "no picture: a width or height of nothing", "没有画面：宽或高为零"},
    {Set::scan_fault, "too_large", "too large", "图片过大"},
    {Set::scan_fault, "short_buffer", "cut short", "图片不完整"},
    {Set::scan_fault, "bad_stride", "rows shorter than their pixels", "行长度不对"},
    {Set::scan_fault, "damaged", "damaged", "图片损坏"},
    {Set::scan_fault, "colours_unknown", "colours nobody here can read", "颜色格式不支持"},
    {Set::scan_fault, "file_unreadable", "can't be read", "文件无法读取"},
    {Set::scan_fault, "file_kind_unknown", "neither PNG nor JPEG", "不是 PNG 或 JPEG 图片"},

    {Set::strategy, "plain", "as it is", "原样"},
    {Set::strategy, "downscaled", "made smaller", "缩小"},
    {Set::strategy, "inverted", "inverted", "反色"},
    {Set::strategy, "contrast_stretched", "more contrast", "增强对比"},
    {Set::strategy, "inverted_stretched", "inverted, more contrast", "反色并增强对比"},

    {Set::symbology, "qr", "QR code", "二维码"},
    {Set::symbology, "aztec", "Aztec code", "阿兹特克码"},
    {Set::symbology, "data_matrix", "Data Matrix", "数据矩阵码"},
    {Set::symbology, "pdf417", "PDF417 code", "四一七条码"},
};
// clang-format on

}  // namespace

std::span<const Entry> all_entries() noexcept { return table; }

Words words_of(Set set, std::string_view key) {
    const auto found = std::ranges::find_if(
        table, [&](const Entry& entry) { return entry.set == set && entry.key == key; });
    if (found == std::end(table)) return {std::string{key}, std::string{key}};
    return {std::string{found->en}, std::string{found->zh}};
}

}  // namespace pf::firmware::ctl
