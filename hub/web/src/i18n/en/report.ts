export default {
  title: "Report",
};
