// identity/pem.h: public keys and certificates in PEM text (RFC 7468).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "identity/key.h"

namespace spillway::identity {

// Every block of `text` as a key with this id, for `only` these algorithms unless empty. Error:
// invalid, for anything but PUBLIC KEY and CERTIFICATE, a private key above all.
Result<KeySet> parse_pem(std::string_view text, const std::string& id, AlgorithmSet only);

}  // namespace spillway::identity
