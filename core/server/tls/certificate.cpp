#include "core/server/tls/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/base/platform/network.h"
#include "core/server/tls/openssl.h"

namespace hearth::tls {
namespace {

constexpr std::chrono::days kAuthorityDays{3650};
constexpr std::chrono::days kServerDays{397};
/// Clocks of a LAN differ: a certificate that is valid from this second on would be refused by some.
constexpr std::chrono::days kBackdated{1};
constexpr std::size_t kMostCommonName = 64;  // RFC 5280, ub-common-name

std::unexpected<Error> failed(const char* what) {
  return fail(ErrorCode::Internal, fmt::format("{} failed: {}", what, opensslReason()));
}

std::string bioText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string{};
}

bool setTime(ASN1_TIME* field, Time time) {
  return ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(time)) != nullptr;
}

/// 128 random bits, positive: RFC 5280 wants serial numbers unique and not negative.
bool setSerial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);
  const BigPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool addExtension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool isDnsName(const std::string& name) {
  if (name.empty() || name.size() > 253 || name.front() == '.' || name.front() == '-' || name.back() == '-') return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// Built as objects and not as OpenSSL's configuration text, in which a name could carry more than itself.
bool addNames(X509* certificate, const ServerNames& names) {
  const NamesPtr list(GENERAL_NAMES_new());
  if (!list) return false;
  const auto add = [&](int kind, const std::string& bytes) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_STRING* value = kind == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    if (name == nullptr || value == nullptr || ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) != 1) {
      GENERAL_NAME_free(name);
      ASN1_STRING_free(value);
      return false;
    }
    GENERAL_NAME_set0_value(name, kind, value);
    if (sk_GENERAL_NAME_push(list.get(), name) > 0) return true;
    GENERAL_NAME_free(name);
    return false;
  };
  for (const std::string& name : names.dns) {
    if (!add(GEN_DNS, name)) return false;
  }
  for (const std::string& address : names.addresses) {
    if (!add(GEN_IPADD, platform::addressBytes(address))) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool setSubject(X509* certificate, std::string name) {
  name.resize(std::min(name.size(), kMostCommonName));
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("Hearth"), -1, -1,
                                    0) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

Time timeOf(const ASN1_TIME* field) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(field, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

std::string opensslReason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:x}", code);
}

CertPtr certificateFromPem(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return CertPtr(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

KeyPtr keyFromPem(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto noPassphrase = [](char*, int, int, void*) { return -1; };
  return KeyPtr(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, noPassphrase, nullptr) : nullptr);
}

std::string pemOf(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  return bio && PEM_write_bio_X509(bio.get(), certificate) == 1 ? bioText(bio.get()) : std::string{};
}

std::string pemOf(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  return bio && PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1 ? bioText(bio.get())
                                                                                                     : std::string{};
}

Result<KeyPair> makeAuthority(const std::string& name, Time now) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertPtr certificate(X509_new());
  if (!key || !certificate) return failed("Making a key");
  X509* const x = certificate.get();
  const bool made = X509_set_version(x, X509_VERSION_3) == 1 && setSerial(x) &&
                    setTime(X509_getm_notBefore(x), now - kBackdated) &&
                    setTime(X509_getm_notAfter(x), now + kAuthorityDays) && X509_set_pubkey(x, key.get()) == 1 &&
                    setSubject(x, name) && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
                    addExtension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    addExtension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    addExtension(x, x, NID_subject_key_identifier, "hash") && X509_sign(x, key.get(), EVP_sha256()) > 0;
  if (!made) return failed("Making the certificate authority");
  return KeyPair{pemOf(x), pemOf(key.get())};
}

Result<KeyPair> makeServerCertificate(const KeyPair& authority, const ServerNames& names, Time now) {
  if (names.dns.empty() && names.addresses.empty())
    return fail(ErrorCode::InvalidArgument, "a server certificate without a name");
  for (const std::string& name : names.dns) {
    if (!isDnsName(name))
      return fail(ErrorCode::InvalidArgument, "not a name that a certificate can carry", {{"name", name.substr(0, 300)}});
  }
  for (const std::string& address : names.addresses) {
    if (platform::addressBytes(address).empty())
      return fail(ErrorCode::InvalidArgument, "not an address", {{"address", address.substr(0, 300)}});
  }
  const CertPtr issuer = certificateFromPem(authority.certificate);
  const KeyPtr issuerKey = keyFromPem(authority.key);
  if (!issuer || !issuerKey || X509_check_private_key(issuer.get(), issuerKey.get()) != 1)
    return fail(ErrorCode::Corrupt,
                "the certificate authority's certificate and key do not belong together: " + opensslReason());
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertPtr certificate(X509_new());
  if (!key || !certificate) return failed("Making a key");
  X509* const x = certificate.get();
  // Never beyond its issuer, which would make it useless a day before it says so.
  const Time end = std::min<Time>(now + kServerDays, timeOf(X509_get0_notAfter(issuer.get())));
  const bool made = X509_set_version(x, X509_VERSION_3) == 1 && setSerial(x) &&
                    setTime(X509_getm_notBefore(x), now - kBackdated) && setTime(X509_getm_notAfter(x), end) &&
                    X509_set_pubkey(x, key.get()) == 1 &&
                    setSubject(x, names.dns.empty() ? names.addresses.front() : names.dns.front()) &&
                    X509_set_issuer_name(x, X509_get_subject_name(issuer.get())) == 1 &&
                    addExtension(x, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    addExtension(x, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                    addExtension(x, issuer.get(), NID_ext_key_usage, "serverAuth") &&
                    addExtension(x, issuer.get(), NID_subject_key_identifier, "hash") &&
                    addExtension(x, issuer.get(), NID_authority_key_identifier, "keyid:always") && addNames(x, names) &&
                    X509_sign(x, issuerKey.get(), EVP_sha256()) > 0;
  if (!made) return failed("Making the server's certificate");
  return KeyPair{pemOf(x), pemOf(key.get())};
}

Result<CertificateInfo> readCertificate(const std::string& pem) {
  const CertPtr certificate = certificateFromPem(pem);
  if (!certificate) return fail(ErrorCode::Corrupt, "not a certificate in PEM form: " + opensslReason());
  CertificateInfo info;
  std::array<char, 256> name{};
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(),
                                static_cast<int>(name.size())) > 0)
    info.subject = name.data();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return failed("Hashing a certificate");
  for (unsigned i = 0; i < size; ++i) info.fingerprint += fmt::format("{}{:02X}", i == 0 ? "" : ":", digest[i]);
  info.notBefore = timeOf(X509_get0_notBefore(certificate.get()));
  info.notAfter = timeOf(X509_get0_notAfter(certificate.get()));
  info.authority = X509_check_ca(certificate.get()) == 1;
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int kind = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind));
    const unsigned char* bytes = kind == GEN_DNS || kind == GEN_IPADD ? ASN1_STRING_get0_data(value) : nullptr;
    if (bytes == nullptr) continue;
    const int length = ASN1_STRING_length(value);
    if (kind == GEN_DNS) {
      info.names.dns.emplace_back(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
      continue;
    }
    if (auto text = platform::addressText({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)});
        !text.empty())
      info.names.addresses.push_back(std::move(text));
  }
  std::ranges::sort(info.names.dns);
  std::ranges::sort(info.names.addresses);
  return info;
}

bool isSignedBy(const std::string& pem, const std::string& authority) {
  const CertPtr certificate = certificateFromPem(pem);
  const CertPtr issuer = certificateFromPem(authority);
  const bool matches = certificate && issuer && X509_check_issued(issuer.get(), certificate.get()) == X509_V_OK &&
                       X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return matches;
}

bool isKeyOf(const KeyPair& pair) {
  const CertPtr certificate = certificateFromPem(pair.certificate);
  const KeyPtr key = keyFromPem(pair.key);
  const bool matches = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

}  // namespace hearth::tls
