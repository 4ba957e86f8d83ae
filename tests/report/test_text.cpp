// Strings from outside made harmless; numbers; base64 (RFC 4648's own examples).
#include <doctest/doctest.h>

#include "limn/report/text.hpp"

using namespace limn::report;

TEST_CASE("HTML's five characters are escaped, in elements and in attributes") {
  CHECK(escape("<script>alert('x')</script>") == "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
  CHECK(escape("a & b \"c\"") == "a &amp; b &quot;c&quot;");
  CHECK(escape("&amp;") == "&amp;amp;");
}

TEST_CASE("what is not UTF-8 becomes the replacement character, a byte each") {
  const std::string bad = "\uFFFD";
  CHECK(clean("Kr\u00f6te \u4e2d \U0001F600") == "Kr\u00f6te \u4e2d \U0001F600");
  CHECK(clean("a\xFF"
              "b") == "a" + bad + "b");
  CHECK(clean("\xC3") == bad);                                // cut off at the end
  CHECK(clean("\xC3<") == bad + "<");                         // must not swallow what follows
  CHECK(clean("\xC0\xAF") == bad + bad);                      // overlong "/"
  CHECK(clean("\xE0\x80\xAF") == bad + bad + bad);            // overlong, three bytes
  CHECK(clean("\xED\xA0\x80") == bad + bad + bad);            // surrogate
  CHECK(clean("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // above U+10FFFF
  CHECK(clean(std::string("a\0b\x1b", 4)) == "a" + bad + "b" + bad);
  CHECK(clean("a\r\n\tb") == "a   b");
}

TEST_CASE("numbers for people") {
  CHECK(fixed(1234.5678, 2) == "1234.57");
  CHECK(fixed(NAN, 2) == "\u2013");
  CHECK(fixed(1e300, 0).size() == 301);
  CHECK(percent(.12345) == "12.3%");
  CHECK(percent(NAN) == "\u2013");
}

TEST_CASE("slugs hold nothing that a file system could follow") {
  CHECK(slug("Grad-CAM (layer4)") == "grad_cam_layer4");
  CHECK(slug("../../etc/passwd") == "etc_passwd");
  CHECK(slug("..") == "");
  CHECK(slug("a\xFF\n[1]") == "a_1");
  CHECK(slug(std::string(500, 'x')).size() == 60);
}

TEST_CASE("base64 as in RFC 4648, section 10") {
  const auto encode = [](std::string_view s) {
    return base64({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()});
  };
  CHECK(encode("") == "");
  CHECK(encode("f") == "Zg==");
  CHECK(encode("fo") == "Zm8=");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foob") == "Zm9vYg==");
  CHECK(encode("fooba") == "Zm9vYmE=");
  CHECK(encode("foobar") == "Zm9vYmFy");
  CHECK(encode("\xFF\xFE\xFB") == "//77");
}
