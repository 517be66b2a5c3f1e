// identity/token_fault.cc: a word and a sentence for each fault.
#include "identity/token_fault.h"

namespace spillway::identity {
namespace {

struct Words {
  std::string_view label;
  std::string_view sentence;
};

// In the order of the enumeration.
constexpr std::array<Words, token_faults_count> words = {{
    {"too_long", "the token is longer than 8 KiB"},
    {"malformed", "the token is not a well-formed JWT"},
    {"unsupported_algorithm", "the token's algorithm is not accepted here"},
    {"unsupported_extension", "the token demands an extension that is not supported"},
    {"wrong_type", "the token is of another type than is accepted here"},
    {"unknown_key", "the token is signed with a key that is not known here"},
    {"bad_signature", "the token's signature does not verify"},
    {"bad_claims", "the token's claims are not well-formed"},
    {"missing_claim", "the token lacks a claim that is required here"},
    {"expired", "the token has expired"},
    {"not_yet_valid", "the token is not valid yet"},
    {"issued_in_future", "the token was issued in the future"},
    {"wrong_issuer", "the token is of another issuer"},
    {"wrong_audience", "the token is meant for another audience"},
}};

}  // namespace

std::string_view to_string(TokenFault fault) { return words[static_cast<size_t>(fault)].label; }
std::string_view describe(TokenFault fault) { return words[static_cast<size_t>(fault)].sentence; }

}  // namespace spillway::identity
