export default {
  title: "月报",
};
