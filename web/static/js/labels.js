// Names of labels in Chinese. Labels are data and may be anything: one that is
// not here is shown as it is.
import { language, t } from "./i18n.js";

const chinese = {
  cooking: "烹饪", travel: "旅行", science: "科学", space: "太空", technology: "科技", gaming: "游戏", fitness: "健身", fashion: "时尚",
  pets: "宠物", nature: "自然", history: "历史", art: "艺术", film: "电影", comedy: "喜剧", finance: "理财", parenting: "育儿",
  sports: "体育", cars: "汽车", gardening: "园艺", music: "音乐", news: "新闻", education: "教育", health: "健康", food: "美食",
  animals: "动物", politics: "政治", business: "商业", love: "爱情", family: "家庭", horror: "恐怖", religion: "宗教", war: "战争",
  beauty: "美妆", books: "书籍", dance: "舞蹈", crime: "犯罪", environment: "环境", psychology: "心理", design: "设计", drama: "剧情",
  kids: "儿童", thriller: "惊悚", romance: "爱情", fantasy: "奇幻", "science-fiction": "科幻", adventure: "冒险", western: "西部",
  photography: "摄影", "live-chat": "聊天", advert: "广告",
  calm: "平静", joyful: "欢乐", sad: "忧伤", tense: "紧张", warm: "温暖", funny: "好笑", inspiring: "振奋", angry: "愤怒",
  nostalgic: "怀旧", romantic: "浪漫", serious: "严肃", exciting: "激动", scary: "吓人", melancholy: "惆怅", hopeful: "有希望",
  documentary: "纪录", tutorial: "教程", interview: "访谈", vlog: "日常", review: "评测", performance: "表演", story: "故事",
  lecture: "讲座", animation: "动画", commentary: "解说", advertisement: "广告", essay: "随笔", gameplay: "实况",
  en: "英语", zh: "中文", ja: "日语", ko: "韩语", fr: "法语", de: "德语", es: "西班牙语",
};
const languages = { en: "English", zh: "Chinese", ja: "Japanese", ko: "Korean", fr: "French", de: "German", es: "Spanish" };

// labelName words a label of the understanding: topic, emotion, style, language.
export function labelName(value) {
  if (language === "zh") return chinese[value] ?? value;
  return languages[value] ?? value.replace(/[-_]/g, " ");
}

// kindName words an item's kind.
export const kindName = (kind) => t("kind." + kind);

// eventName words an event's kind.
export const eventName = (kind) => t("event." + kind);

// hue gives a name a steady colour, 0 to 359.
export function hue(text) {
  let n = 2166136261;
  for (const c of text) n = Math.imul(n ^ c.codePointAt(0), 16777619);
  return (n >>> 0) % 360;
}
