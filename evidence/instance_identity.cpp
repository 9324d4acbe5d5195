#include "evidence/instance_identity.h"

#include <memory>
#include <new>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/encoding.h"
#include "base/error.h"
#include "base/openssl.h"

namespace evidence {
namespace {

using base::Bytes;
using base::ByteView;
using base::InvalidInput;

using Asn1IntegerPtr = std::unique_ptr<ASN1_INTEGER, base::FreeWith<ASN1_INTEGER_free>>;
using Asn1ObjectPtr = std::unique_ptr<ASN1_OBJECT, base::FreeWith<ASN1_OBJECT_free>>;

constexpr std::string_view kSubject = "instance identity";
constexpr std::uint8_t kDerTrue = 0xff;
constexpr int kSecurityTag = 0;
constexpr int kSecurityVersionTag = 0;
constexpr int kIsProductionTag = 1;

std::string field(std::string_view name) { return std::string(kSubject) + "." + std::string(name); }

/// One element of DER. `whole` is header and content.
struct Element {
  int tag = 0;
  int tag_class = 0;
  bool is_constructed = false;
  ByteView content;
  ByteView whole;

  bool is_context(int number) const { return tag_class == V_ASN1_CONTEXT_SPECIFIC && is_constructed && tag == number; }
};

/// Reads elements one behind the other. OpenSSL reads the headers; what BER allows and DER does not (indefinite
/// lengths, lengths that are longer than need be) is refused here.
class DerReader {
 public:
  explicit DerReader(ByteView bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  Element any(std::string_view name) {
    const unsigned char* cursor = bytes_.data();
    long length = 0;
    Element element;
    const int flags =
        ASN1_get_object(&cursor, &length, &element.tag, &element.tag_class, static_cast<long>(bytes_.size()));
    if (bytes_.empty() || (flags & 0x80) != 0) {
      ERR_clear_error();
      throw InvalidInput(field(name), "is cut off or not DER");
    }
    element.is_constructed = (flags & V_ASN1_CONSTRUCTED) != 0;
    const auto header = static_cast<std::size_t>(cursor - bytes_.data());
    const auto size = header + static_cast<std::size_t>(length);
    const bool is_minimal = ASN1_object_size(element.is_constructed ? 1 : 0, static_cast<int>(length), element.tag) ==
                            static_cast<int>(size);
    if ((flags & 1) != 0 || !is_minimal) throw InvalidInput(field(name), "is not DER");
    element.whole = bytes_.first(size);
    element.content = element.whole.subspan(header);
    bytes_ = bytes_.subspan(size);
    return element;
  }

  ByteView universal(int tag, bool is_constructed, std::string_view name) {
    return element(tag, is_constructed, name).content;
  }

  std::string utf8(std::string_view name) {
    const ByteView content = universal(V_ASN1_UTF8STRING, false, name);
    const std::string_view text = base::text_of(content);
    if (!base::is_utf8(text) || text.find('\0') != std::string_view::npos)
      throw InvalidInput(field(name), "is not UTF-8");
    return std::string(text);
  }

  std::uint64_t integer(std::string_view name) {
    const Element found = element(V_ASN1_INTEGER, false, name);
    const unsigned char* cursor = found.whole.data();
    const Asn1IntegerPtr value(d2i_ASN1_INTEGER(nullptr, &cursor, static_cast<long>(found.whole.size())));
    std::uint64_t number = 0;
    if (!value || ASN1_INTEGER_get_uint64(&number, value.get()) != 1) {
      ERR_clear_error();
      throw InvalidInput(field(name), "is negative, too large or not DER");
    }
    return number;
  }

  bool boolean(std::string_view name) {
    const ByteView content = universal(V_ASN1_BOOLEAN, false, name);
    if (content.size() != 1 || (content[0] != 0 && content[0] != kDerTrue)) {
      throw InvalidInput(field(name), "is not a DER boolean");
    }
    return content[0] == kDerTrue;
  }

  void expect_end(std::string_view name) const {
    if (!bytes_.empty()) throw InvalidInput(field(name), "bytes follow it");
  }

 private:
  Element element(int tag, bool is_constructed, std::string_view name) {
    const Element found = any(name);
    if (found.tag_class != V_ASN1_UNIVERSAL || found.tag != tag || found.is_constructed != is_constructed) {
      throw InvalidInput(field(name), "is of another type");
    }
    return found;
  }

  ByteView bytes_;
};

/// The content of [0]; returns isProduction.
bool parse_security(ByteView content) {
  DerReader explicit_tag(content);
  DerReader members(explicit_tag.universal(V_ASN1_SEQUENCE, true, "security"));
  explicit_tag.expect_end("security");
  bool is_production = false;
  int last_tag = -1;
  while (!members.empty()) {
    const Element member = members.any("security");
    if (member.tag_class != V_ASN1_CONTEXT_SPECIFIC) continue;
    if (member.tag <= last_tag) throw InvalidInput(field("security"), "members are repeated or out of order");
    last_tag = member.tag;
    DerReader inner(member.content);
    if (member.is_context(kSecurityVersionTag)) {
      inner.integer("securityVersion");
      inner.expect_end("securityVersion");
    } else if (member.is_context(kIsProductionTag)) {
      is_production = inner.boolean("isProduction");
      inner.expect_end("isProduction");
    }
  }
  return is_production;
}

/// `content` behind the header that DER puts before it.
Bytes wrapped(int tag, int tag_class, bool is_constructed, ByteView content) {
  const int length = static_cast<int>(content.size());
  Bytes der(static_cast<std::size_t>(ASN1_object_size(is_constructed ? 1 : 0, length, tag)) - content.size());
  unsigned char* cursor = der.data();
  ASN1_put_object(&cursor, is_constructed ? 1 : 0, length, tag, tag_class);
  base::append(der, content);
  return der;
}

Bytes encode_utf8(std::string_view text) {
  return wrapped(V_ASN1_UTF8STRING, V_ASN1_UNIVERSAL, false, base::view_of(text));
}

Bytes encode_integer(std::uint64_t number) {
  const Asn1IntegerPtr value(ASN1_INTEGER_new());
  unsigned char* encoded = nullptr;
  if (!value || ASN1_INTEGER_set_uint64(value.get(), number) != 1) throw std::bad_alloc();
  const int length = i2d_ASN1_INTEGER(value.get(), &encoded);
  if (length < 0) throw base::Error("encoding an integer: " + base::openssl_error());
  Bytes der(encoded, encoded + length);
  OPENSSL_free(encoded);
  return der;
}

Bytes encode_context(int tag, ByteView content) { return wrapped(tag, V_ASN1_CONTEXT_SPECIFIC, true, content); }
Bytes encode_sequence(ByteView content) { return wrapped(V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true, content); }

}  // namespace

InstanceIdentity parse_instance_identity(ByteView der) {
  DerReader outer(der);
  DerReader members(outer.universal(V_ASN1_SEQUENCE, true, "value"));
  outer.expect_end("value");
  InstanceIdentity identity;
  identity.zone = members.utf8("zone");
  identity.project_number = members.integer("projectNumber");
  identity.project_id = members.utf8("projectId");
  identity.instance_id = members.integer("instanceId");
  identity.instance_name = members.utf8("instanceName");
  bool has_security = false;
  while (!members.empty()) {
    const Element member = members.any("security");
    if (!member.is_context(kSecurityTag)) continue;
    if (has_security) throw InvalidInput(field("security"), "stands twice");
    has_security = true;
    identity.is_production = parse_security(member.content);
  }
  return identity;
}

Bytes encode_instance_identity(const InstanceIdentity& identity) {
  Bytes members = encode_utf8(identity.zone);
  base::append(members, encode_integer(identity.project_number));
  base::append(members, encode_utf8(identity.project_id));
  base::append(members, encode_integer(identity.instance_id));
  base::append(members, encode_utf8(identity.instance_name));
  const std::uint8_t boolean = identity.is_production ? kDerTrue : std::uint8_t{0};
  const Bytes is_production =
      encode_context(kIsProductionTag, wrapped(V_ASN1_BOOLEAN, V_ASN1_UNIVERSAL, false, ByteView(&boolean, 1)));
  base::append(members, encode_context(kSecurityTag, encode_sequence(is_production)));
  return encode_sequence(members);
}

std::optional<InstanceIdentity> instance_identity_of(const X509& certificate) {
  const Asn1ObjectPtr oid(OBJ_txt2obj(kInstanceIdentityOid, 1));
  if (!oid) throw std::bad_alloc();
  const int position = X509_get_ext_by_OBJ(&certificate, oid.get(), -1);
  if (position < 0) return std::nullopt;
  if (X509_get_ext_by_OBJ(&certificate, oid.get(), position) >= 0) {
    throw InvalidInput(kSubject, "the certificate has the extension twice");
  }
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(&certificate, position));
  const unsigned char* data = ASN1_STRING_get0_data(value);
  return parse_instance_identity(ByteView(data, static_cast<std::size_t>(ASN1_STRING_length(value))));
}

}  // namespace evidence
