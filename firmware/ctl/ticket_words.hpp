#pragma once
// Tickets as people read them.
#include <string>

#include "firmware/ctl/session.hpp"

namespace pf::firmware::ctl {

/// "product 1 at site 1, 2026-05-01 to 2026-05-03, 2 entries each day" of an entitlement's JSON.
Words entitlement_words(const Json& entitlement);
/// "child" is 儿童: what the gate shows for that person type.
Words person_type_words(const std::string& key);
/// "revoked: refund" of a ticket's JSON.
Words state_words(const Json& ticket);
/// Every use, with where and when.
void say_check_ins(Session& session, const Json& check_ins);
/// A whole ticket as the server describes it, with its check-ins when they are there.
void say_ticket(Session& session, const Json& ticket);

}  // namespace pf::firmware::ctl
