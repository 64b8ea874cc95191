export default {
  title: "Sign in to Anfang",
  name: "Name",
  password: "Password",
  submit: "Sign in",
  byLink: "Signing in with a one-time link…",
  linkFailed: "This link was used already or has expired; ask an administrator for a new one",
  wrong: "The name or the password is wrong",
  wait: "Too many tries; wait a little",
};
