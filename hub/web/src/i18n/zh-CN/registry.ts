export default {
  title: "登记",
};
