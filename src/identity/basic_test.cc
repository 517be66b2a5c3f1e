// identity/basic_test.cc: users, their passwords, and what is remembered of them.
#include "identity/basic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spillway::identity {
namespace {

using ::testing::HasSubstr;
using Answer = VerifiedCredentials::Answer;

// Of "correct horse", of "Hello world!" twice, both as crypt(3) makes them, and of "secret".
constexpr const char* bcrypt = "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
constexpr const char* sha256_crypt = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";
constexpr const char* sha512_crypt =
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS"
    "35inz1";
constexpr const char* plain =
    "{SHA256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

std::string words_of(const auto& result) {
  return result.has_value() ? "(taken)" : result.error().detail;
}

TEST(PasswordHash, knows_the_password_of_each_form) {
  const auto fits = [](const char* hash, std::string_view password) {
    const auto parsed = PasswordHash::parse(hash);
    EXPECT_TRUE(parsed.has_value()) << words_of(parsed);
    return parsed && parsed->verifies(password);
  };
  EXPECT_TRUE(fits(bcrypt, "correct horse"));
  EXPECT_FALSE(fits(bcrypt, "correct horsf"));
  EXPECT_TRUE(fits(sha256_crypt, "Hello world!"));
  EXPECT_TRUE(fits(sha512_crypt, "Hello world!"));
  EXPECT_FALSE(fits(sha512_crypt, "hello world!"));
  EXPECT_TRUE(fits(plain, "secret"));
  EXPECT_TRUE(fits("{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", "secret"));
  EXPECT_FALSE(fits(plain, "Secret"));
  EXPECT_FALSE(fits(bcrypt, std::string(limits::password_bytes_max + 1, 'x')));
  EXPECT_TRUE(PasswordHash::parse(bcrypt)->is_slow());
  EXPECT_FALSE(PasswordHash::parse(plain)->is_slow());
}

TEST(PasswordHash, is_refused_with_the_reason_and_without_the_value) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no hash of a password"},
      {"hunter2-hunter2", "no hash of a password"},
      {"hunter2hunter2", "a hash of another form"},
      {"$apr1$saltsalt$0123456789012345678901", "MD5 hash, which is too weak"},
      {"$1$saltsalt$0123456789012345678901", "MD5"},
      {"$2y$04$tooshort", "bcrypt hash that is not whole"},
      {"$2y$31$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e", "cost 31"},
      {"$2y$03$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e", "cost 3"},
      {"$6$saltstring$short", "SHA-crypt hash that is not whole"},
      {"$6$rounds=99999999$saltstring$x", "more than 1000000 rounds"},
      {"$6$rounds=x$saltstring$x", "more than 1000000 rounds"},
      {"{SHA256}abc", "{SHA256} that is no digest"},
      {"{SHA256}" + std::string(64, 'g'), "{SHA256} that is no digest"},
      {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "no hash of a password"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(words_of(PasswordHash::parse(text)), HasSubstr(words)) << text;
    EXPECT_THAT(words_of(PasswordHash::parse(text)), Not(HasSubstr("hunter2")));
  }
}

TEST(BasicText, has_a_user_and_a_password) {
  BasicText text;
  const auto aladdin = text.parse("QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617 section 2.
  ASSERT_TRUE(aladdin);
  EXPECT_EQ(aladdin->user, "Aladdin");
  EXPECT_EQ(aladdin->password, "open sesame");
  const auto accents = text.parse("dGVzdDoxMjPCow==");  // RFC 7617 section 2.1.
  ASSERT_TRUE(accents);
  EXPECT_EQ(accents->password, "123\xc2\xa3");
  const auto colons = text.parse("YTpiOmM=");
  EXPECT_EQ(colons->password, "b:c");
  EXPECT_EQ(text.parse("YTo=")->password, "");
}

TEST(BasicText, refuses_what_rfc_7617_does_not_allow) {
  BasicText text;
  EXPECT_FALSE(text.parse(""));
  EXPECT_FALSE(text.parse("QWxhZGRpbg=="));  // No colon.
  EXPECT_FALSE(text.parse("OnB3"));          // No user.
  EXPECT_FALSE(text.parse("YTpiAGM="));      // A NUL in the password.
  EXPECT_FALSE(text.parse("YQo6Yg=="));      // A line feed in the user.
  EXPECT_FALSE(text.parse("YTpi YTpi"));
  EXPECT_FALSE(text.parse("YTpiYw"));  // Not padded.
  EXPECT_FALSE(text.parse(std::string(limits::basic_text_bytes_max + 4, 'Y')));
}

TEST(BasicUsers, are_checked_by_their_hashes) {
  const auto users = BasicUsers::make({{"anna", bcrypt}, {"ben", plain}});
  ASSERT_TRUE(users.has_value());
  EXPECT_TRUE(users->check({"anna", "correct horse"}));
  EXPECT_TRUE(users->check({"ben", "secret"}));
  EXPECT_FALSE(users->check({"anna", "secret"}));
  EXPECT_FALSE(users->check({"ben", "correct horse"}));
}

TEST(BasicUsers, treat_a_stranger_as_the_slowest_user) {
  const auto users = BasicUsers::make({{"anna", bcrypt}, {"ben", plain}});
  EXPECT_TRUE(users->is_slow("nobody"));
  EXPECT_FALSE(users->is_slow("ben"));
  EXPECT_FALSE(users->check({"nobody", "correct horse"}));  // The hash that stands in for theirs.
  const auto fast = BasicUsers::make({{"ben", plain}});
  EXPECT_FALSE(fast->is_slow("nobody"));
  EXPECT_FALSE(fast->check({"nobody", "secret"}));
  const auto none = BasicUsers::make({});
  EXPECT_FALSE(none->check({"nobody", ""}));
}

TEST(BasicUsers, are_refused_with_their_name) {
  EXPECT_THAT(words_of(BasicUsers::make({{"anna", "x"}})), HasSubstr("user \"anna\": no hash"));
  EXPECT_THAT(words_of(BasicUsers::make({{"a:b", plain}})), HasSubstr("a colon"));
  EXPECT_THAT(words_of(BasicUsers::make({{"", plain}})), HasSubstr("empty"));
}

TEST(UserFile, has_a_name_and_a_hash_on_each_line) {
  const auto users = parse_user_file("# comment\n\nanna:$2y$x\r\nben:{SHA256}y:more:fields");
  ASSERT_TRUE(users.has_value());
  EXPECT_EQ(users->at("anna"), "$2y$x");
  EXPECT_EQ(users->at("ben"), "{SHA256}y");
  EXPECT_THAT(words_of(parse_user_file("anna:x\nben")), HasSubstr("line 2 has no colon"));
  EXPECT_THAT(words_of(parse_user_file("a:x\na:y\n")), HasSubstr("line 2 repeats"));
}

TEST(VerifiedCredentials, remember_what_took_long) {
  const auto users = *BasicUsers::make({{"anna", bcrypt}, {"ben", plain}});
  VerifiedCredentials verified(*ProcessSecret::make());
  const BasicCredentials anna{"anna", "correct horse"};
  EXPECT_EQ(verified.look_up(users, anna), Answer::needs_hash);
  verified.remember(anna);
  verified.remember(anna);
  EXPECT_EQ(verified.look_up(users, anna), Answer::verified);
  EXPECT_EQ(verified.look_up(users, {"anna", "correct horsf"}), Answer::needs_hash);
  EXPECT_EQ(verified.look_up(users, {"nobody", "correct horse"}), Answer::needs_hash);
  EXPECT_EQ(verified.look_up(users, {"ben", "secret"}), Answer::verified);
  EXPECT_EQ(verified.look_up(users, {"ben", "wrong"}), Answer::refused);
}

TEST(VerifiedCredentials, forget_some_when_there_are_too_many) {
  const auto users = *BasicUsers::make({{"anna", bcrypt}});
  VerifiedCredentials verified(ProcessSecret{});
  const auto password = [](size_t i) { return "password " + std::to_string(i); };
  constexpr size_t count = 4 * limits::verified_credentials_max;
  for (size_t i = 0; i < count; ++i) verified.remember({"anna", password(i)});
  size_t known = 0;
  for (size_t i = 0; i < count; ++i) {
    known += verified.look_up(users, {"anna", password(i)}) == Answer::verified ? 1 : 0;
  }
  EXPECT_EQ(known, limits::verified_credentials_max);
  EXPECT_EQ(verified.look_up(users, {"anna", password(count - 1)}), Answer::verified);
}

}  // namespace
}  // namespace spillway::identity
