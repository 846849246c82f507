#include "proxy/failure.hpp"

namespace penstock::proxy {

std::string_view name_of(failure::kind what) noexcept
{
    switch (what) {
    case failure::kind::no_endpoint: return "no_endpoint";
    case failure::kind::connect_refused: return "connect_refused";
    case failure::kind::connect_timed_out: return "connect_timed_out";
    case failure::kind::broken: return "broken";
    case failure::kind::bad_answer: return "bad_answer";
    case failure::kind::answer_timed_out: return "answer_timed_out";
    case failure::kind::client_gone: return "client_gone";
    case failure::kind::client_body_cut: return "client_body_cut";
    case failure::kind::client_body_invalid: return "client_body_invalid";
    case failure::kind::client_timed_out: return "client_timed_out";
    case failure::kind::body_too_large: return "body_too_large";
    }
    return "unknown";
}

} // namespace penstock::proxy
