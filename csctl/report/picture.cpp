#include "csctl/report/picture.h"

#include "csctl/report/markup.h"

namespace csctl {
namespace {

// In units of the picture.
constexpr int kBoxWidth = 144;
constexpr int kBoxHeight = 64;
constexpr int kBoxGap = 24;
constexpr int kPictureMargin = 4;
constexpr int kCorner = 8;
constexpr int kSignX = 20;

/// Paths around the origin: a tick, a question mark's place taken by a dash, a cross.
std::string_view sign_of(State state) {
  switch (state) {
    case State::kHolds: return "M-6 0 L-2 5 L7 -6";
    case State::kUnknown: return "M-6 0 L6 0";
    case State::kFails: return "M-5 -5 L5 5 M5 -5 L-5 5";
  }
  return "";
}

std::string number(int value) { return std::to_string(value); }

std::string box(const Link& link, int x, int y) {
  const int middle = kBoxHeight / 2;
  return "<g class='" + css_class_of(link.state) + "' transform='translate(" + number(x) + " " + number(y) +
         ")'><rect width='" + number(kBoxWidth) + "' height='" + number(kBoxHeight) + "' rx='" + number(kCorner) +
         "'/><path class='sign' transform='translate(" + number(kSignX) + " " + number(middle) + ")' d='" +
         std::string(sign_of(link.state)) + "'/><text x='" + number(2 * kSignX) + "' y='" + number(middle) + "'>" +
         escaped(link.name) + "</text></g>";
}

/// From the link before to this one.
std::string arrow(int x, int y, Layout layout) {
  const int length = kBoxGap - 4;
  const std::string tip = layout == Layout::kWide ? "h" + number(length) + " m-6 -5 l6 5 l-6 5"
                                                  : "v" + number(length) + " m-5 -6 l5 6 l5 -6";
  return "<path class='arrow' d='M" + number(x) + " " + number(y) + " " + tip + "'/>";
}

std::string description_of(const std::vector<Link>& chain) {
  std::string text;
  for (const Link& link : chain) {
    text += (text.empty() ? "" : ", then ") + link.name + " (" + std::string(name_of(link.state)) + ")";
  }
  return text;
}

}  // namespace

std::string css_class_of(State state) {
  switch (state) {
    case State::kHolds: return "holds";
    case State::kUnknown: return "unknown";
    case State::kFails: return "fails";
  }
  return "";
}

std::string chain_picture(const std::vector<Link>& chain, Layout layout) {
  const int count = static_cast<int>(chain.size());
  const bool is_wide = layout == Layout::kWide;
  const int step = (is_wide ? kBoxWidth : kBoxHeight) + kBoxGap;
  const int along = count * step - kBoxGap + 2 * kPictureMargin;
  const int across = (is_wide ? kBoxHeight : kBoxWidth) + 2 * kPictureMargin;
  std::string svg = "<svg class='chain " + std::string(is_wide ? "wide" : "tall") +
                    "' xmlns='http://www.w3.org/2000/svg' role='img' viewBox='0 0 " + number(is_wide ? along : across) +
                    " " + number(is_wide ? across : along) + "' aria-label='" +
                    escaped("Chain of trust: " + description_of(chain)) + "'>";
  int place = kPictureMargin;
  for (const Link& link : chain) {
    if (place > kPictureMargin) {
      const int begin = place - kBoxGap + 2;
      svg += is_wide ? arrow(begin, kPictureMargin + kBoxHeight / 2, layout)
                     : arrow(kPictureMargin + kBoxWidth / 2, begin, layout);
    }
    svg += is_wide ? box(link, place, kPictureMargin) : box(link, kPictureMargin, place);
    place += step;
  }
  return svg + "</svg>";
}

}  // namespace csctl
