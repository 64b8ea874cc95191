export default {
  title: "登录安房",
  name: "用户名",
  password: "密码",
  submit: "登录",
  byLink: "正在用一次性链接登录…",
  linkFailed: "链接已使用或已过期，请联系管理员重新获取",
  wrong: "用户名或密码错误",
  wait: "尝试次数过多，请稍后再试",
};
