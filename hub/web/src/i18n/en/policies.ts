export default {
  title: "Policies",
};
