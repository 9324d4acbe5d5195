// The meal planner: MealCorp's program, which counts Corporation Corp's meal preferences without MealCorp seeing them.
//
// It proves to Corporation Corp what it is, is given the key in return, decrypts the preferences that its image carries
// and prints the order for the kitchen. Whoever runs the machine sees the counts and nothing else.

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using nlohmann::json;

constexpr const char* kTeeSocket = "/run/container_launcher/teeserver.sock";
constexpr const char* kPreferences = "/data/preferences.enc";
constexpr const char* kAudience = "https://keys.corporation.example";

// The encrypted file: nonce, then ciphertext, then tag (AES-256-GCM, NIST SP 800-38D; no additional data).
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

constexpr std::uint64_t kMaximumAnswer = std::uint64_t{1} << 20;

struct Answer {
  unsigned status = 0;
  std::string body;
};

// The key release service said no; what() is its reason.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename Stream>
Answer exchange(Stream& stream, http::verb method, std::string_view host, std::string_view target, const json& body) {
  http::request<http::string_body> request{method, target, 11};
  request.set(http::field::host, host);
  request.set(http::field::connection, "close");
  if (!body.is_null()) {
    request.set(http::field::content_type, "application/json");
    request.body() = body.dump();
  }
  request.prepare_payload();
  http::write(stream, request);

  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaximumAnswer);
  http::read(stream, buffer, parser);
  return {parser.get().result_int(), std::move(parser.get().body())};
}

// Corporation Corp's key release service, at an address like http://127.0.0.1:8080.
class KeyRelease {
 public:
  explicit KeyRelease(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    const auto colon = url.rfind(':');
    if (!url.starts_with(kScheme) || colon < kScheme.size()) {
      throw std::runtime_error("KEY_RELEASE_URL must look like http://127.0.0.1:8080");
    }
    host_ = url.substr(kScheme.size(), colon - kScheme.size());
    const auto port = url.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), port_);
    if (error != std::errc{} || end != port.data() + port.size()) {
      throw std::runtime_error("KEY_RELEASE_URL has no valid port");
    }
  }

  json post(std::string_view target, const json& body) const {
    asio::io_context context;
    asio::ip::tcp::socket socket{context};
    socket.connect({asio::ip::make_address(host_), port_});
    const Answer answer = exchange(socket, http::verb::post, host_, target, body);
    if (answer.status == 403) {
      throw Refused(answer.body);
    }
    if (answer.status != 200) {
      throw std::runtime_error("the key release service answered " + std::to_string(answer.status) + ": " +
                               answer.body);
    }
    return json::parse(answer.body);
  }

 private:
  std::string host_;
  std::uint16_t port_ = 0;
};

// Asks the launcher for a token for Corporation Corp alone, bound to the nonce that Corporation Corp chose.
std::string attestation_token(const std::string& nonce) {
  asio::io_context context;
  asio::local::stream_protocol::socket socket{context};
  socket.connect({kTeeSocket});
  const json options{{"audience", kAudience}, {"token_type", "OIDC"}, {"nonces", {nonce}}};
  Answer answer = exchange(socket, http::verb::post, "localhost", "/v1/token", options);
  if (answer.status != 200) {
    throw std::runtime_error("no attestation token: " + answer.body);
  }
  return std::move(answer.body);
}

std::vector<unsigned char> decode_base64(const std::string& text) {
  if (text.size() % 4 != 0) {
    throw std::runtime_error("the key is not base64");
  }
  std::vector<unsigned char> bytes(text.size() / 4 * 3);
  const int length =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) {
    throw std::runtime_error("the key is not base64");
  }
  // EVP_DecodeBlock counts the padding as zero bytes.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.erase(bytes.end() - static_cast<std::ptrdiff_t>(std::min(padding, bytes.size())), bytes.end());
  return bytes;
}

std::vector<unsigned char> read_file(const char* path) {
  std::ifstream file{path, std::ios::binary};
  std::vector<unsigned char> bytes{std::istreambuf_iterator<char>{file}, {}};
  if (!file) {
    throw std::runtime_error(std::string("cannot read ") + path);
  }
  return bytes;
}

std::string decrypt(const std::vector<unsigned char>& key, const std::vector<unsigned char>& sealed) {
  if (key.size() != kKeySize || sealed.size() < kNonceSize + kTagSize) {
    throw std::runtime_error("key or encrypted preferences have the wrong size");
  }
  const unsigned char* nonce = sealed.data();
  const unsigned char* ciphertext = nonce + kNonceSize;
  const std::size_t size = sealed.size() - kNonceSize - kTagSize;
  std::array<unsigned char, kTagSize> tag{};
  std::copy_n(ciphertext + size, kTagSize, tag.begin());

  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context{EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free};
  std::string plaintext(size, '\0');
  auto* output = reinterpret_cast<unsigned char*>(plaintext.data());
  int written = 0;
  int rest = 0;
  const bool good =
      context != nullptr && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce) == 1 &&
      EVP_DecryptUpdate(context.get(), output, &written, ciphertext, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTagSize), tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), output + written, &rest) == 1;
  if (!good) {
    throw std::runtime_error("the preferences do not decrypt with the key that was released");
  }
  return plaintext;
}

// Each line of the preferences is "person,dish".
std::map<std::string, int> count_dishes(const std::string& preferences) {
  std::map<std::string, int> order;
  std::istringstream lines{preferences};
  for (std::string line; std::getline(lines, line);) {
    const auto comma = line.find(',');
    if (comma == std::string::npos) {
      throw std::runtime_error("a line of the preferences is not \"person,dish\"");
    }
    ++order[line.substr(comma + 1)];
  }
  return order;
}

void plan_meals() {
  const char* url = std::getenv("KEY_RELEASE_URL");
  if (url == nullptr) {
    throw std::runtime_error("KEY_RELEASE_URL is not set");
  }
  const KeyRelease keys{url};
  const std::string nonce = keys.post("/nonce", json::object()).at("nonce");
  const json released = keys.post("/key", {{"token", attestation_token(nonce)}, {"nonce", nonce}});

  auto key = decode_base64(released.at("key"));
  const auto order = count_dishes(decrypt(key, read_file(kPreferences)));
  OPENSSL_cleanse(key.data(), key.size());
  for (const auto& [dish, count] : order) {
    std::cout << count << " x " << dish << '\n';
  }
  keys.post("/order", {{"ticket", released.at("ticket")}, {"order", order}});
}

}  // namespace

int main() {
  try {
    plan_meals();
    return EXIT_SUCCESS;
  } catch (const Refused& refusal) {
    std::cerr << "refused: " << refusal.what() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "failed: " << error.what() << '\n';
  }
  return EXIT_FAILURE;
}
