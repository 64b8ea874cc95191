export default {
  title: "Registry",
};
